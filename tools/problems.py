"""Problems are collected, not thrown one at a time: a run reports everything that it can see, with file and line."""


class Failed(Exception):
    """Stops the run; its text is what the user reads."""


class Problems:
    """A list of `file:line: what is wrong. Fix: what to do.` lines."""

    def __init__(self):
        self.lines = []

    def add(self, path, line, what, fix):
        where = "%s:%d" % (path, line) if line else str(path)
        text = "%s: %s.\n    Fix: %s." % (where, what, fix)
        if text not in self.lines:
            self.lines.append(text)

    def stop_if_any(self):
        if self.lines:
            raise Failed("\n".join(self.lines))


def read_source(path, shown, problems):
    """The text of one of our files: ASCII, LF, no tabs. What is not so is reported and read leniently."""
    data = path.read_bytes()
    for number, line in enumerate(data.split(b"\n"), 1):
        if b"\r" in line:
            problems.add(shown, number, "carriage return", "save the file with LF line ends")
            break
        if b"\t" in line:
            problems.add(shown, number, "tab", "indent with spaces")
        if any(byte > 126 for byte in line):
            problems.add(shown, number, "a character outside ASCII",
                         "write it in ASCII (a plain quote, two hyphens), or as an escape in a string")
    if data and not data.endswith(b"\n"):
        problems.add(shown, data.count(b"\n") + 1, "no newline at the end of the file", "add one")
    return data.decode("ascii", "replace").replace("\r", "").replace("\ufffd", "?")
