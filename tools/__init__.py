"""What amalgamate.py is made of: kinds (read and lint), printing (generated text), packing (join), sqlite (bundle)."""
