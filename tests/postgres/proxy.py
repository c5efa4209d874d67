"""A TCP proxy before a PostgreSQL server that loses connections at chosen moments. Offered by server.py as Proxy."""

import socket
import struct
import threading

SSL_REQUEST, GSS_REQUEST, CANCEL_REQUEST = 80877103, 80877104, 80877102
FIRST_PIECES = 8  # bytes of a first message that say what it is


class Messages:
    """Cuts a stream into messages: a type of one byte, a length that counts itself, and the rest."""

    def __init__(self):
        self.waiting = b""

    def feed(self, data):
        """Yields (type, whole message) for each that is complete now."""
        self.waiting += data
        while len(self.waiting) >= 5:
            size = 1 + struct.unpack("!I", self.waiting[1:5])[0]
            if len(self.waiting) < size:
                return
            message, self.waiting = self.waiting[:size], self.waiting[size:]
            yield message[:1], message


class Rule:
    """Which message loses its connection, and when."""

    def __init__(self, kind, number, containing, before):
        self.kind, self.left, self.containing, self.before = kind.encode(), number, containing, before

    def is_met(self, kind, message):
        if kind != self.kind or self.containing not in message:
            return False
        self.left -= 1
        return self.left == 0


class Link:
    """One client and its connection to the server."""

    def __init__(self, proxy, client):
        self.proxy, self.client = proxy, client
        self.server = socket.create_connection(proxy.target)
        self.swallowing = False  # a message met the rule: the server's answer goes nowhere
        self.readable = False    # without TLS
        self.threads = [threading.Thread(target=self.run, args=(pump,), daemon=True)
                        for pump in (self.from_client, self.from_server)]
        self.ready = threading.Event()  # the first message has passed, and with it any talk about encryption

    def start(self):
        for thread in self.threads:
            thread.start()

    def run(self, pump):
        try:
            pump()
        except OSError:
            pass  # one side is gone: so is the other
        self.close()

    def close(self):
        """Ends both sides at once, as a network that fails does: what was not yet sent is lost."""
        self.ready.set()
        for side in (self.client, self.server):
            try:
                side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                side.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            side.close()
        self.proxy.forget(self)

    def receive(self, side, size=65536):
        data = side.recv(size)
        if not data:
            raise OSError("closed")
        self.proxy.flowing.wait()
        return data

    def receive_exactly(self, side, size):
        data = b""
        while len(data) < size:
            data += self.receive(side, size - len(data))
        return data

    def greet(self):
        """Passes the first message on. False when all that follows is encrypted, or nothing follows."""
        while True:
            head = self.receive_exactly(self.client, FIRST_PIECES)
            size, code = struct.unpack("!II", head)
            self.server.sendall(head + self.receive_exactly(self.client, size - FIRST_PIECES))
            if code not in (SSL_REQUEST, GSS_REQUEST):
                return code != CANCEL_REQUEST
            answer = self.receive_exactly(self.server, 1)
            self.client.sendall(answer)
            if answer != b"N":
                return False

    def from_client(self):
        self.readable, messages = self.greet(), Messages()
        self.ready.set()
        while True:
            data = self.receive(self.client)
            if not self.readable:
                self.server.sendall(data)
                continue
            for kind, message in messages.feed(data):
                rule = self.proxy.matching(kind, message)
                if rule and rule.before:
                    self.proxy.hit.set()
                    return
                self.swallowing = self.swallowing or rule is not None
                self.server.sendall(message)

    def from_server(self):
        self.ready.wait()
        messages = Messages()
        while True:
            data = self.receive(self.server)
            if not self.readable:
                self.client.sendall(data)
                continue
            for kind, message in messages.feed(data):
                self.proxy.answers += kind == b"Z"
                if not self.swallowing:
                    self.client.sendall(message)
                elif kind == b"Z":  # ready for the next query: this one is done
                    self.proxy.hit.set()
                    return


class Proxy:
    """Listens on a port of its own and passes everything on to a server (or a pooler).

    cut()       ends all connections; with refuse=True new ones end at once, too, until heal()
    freeze()    passes nothing on any more and ends nothing, until heal()
    lose(...)   arms a trap for one message; `hit` is set when it has snapped
    answers     how often the server was ready for the next query: a round trip each

    Messages are seen on connections without TLS only."""

    certificates = None
    host = "127.0.0.1"

    def __init__(self, server):
        self.target = ("127.0.0.1", server.port)
        self.flowing, self.hit, self.lock = threading.Event(), threading.Event(), threading.Lock()
        self.flowing.set()
        self.links, self.rule, self.refusing, self.accepted, self.answers = set(), None, False, 0, 0
        self.make_url = server.url
        self.listener = socket.create_server((self.host, 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def url(self, *arguments, **options):
        """As the server's, through the proxy."""
        return self.make_url(*arguments, through=self, **options)

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return  # closed
            try:
                with self.lock:
                    self.accepted += 1
                    link = None if self.refusing else Link(self, client)
                    if link:
                        self.links.add(link)
            except OSError:
                link = None  # the server takes no connection
            if link:
                link.start()
            else:
                client.close()

    def forget(self, link):
        with self.lock:
            self.links.discard(link)

    def matching(self, kind, message):
        """The rule, if this message meets it; a rule is met once."""
        with self.lock:
            rule = self.rule
            if rule is None or not rule.is_met(kind, message):
                return None
            self.rule = None
            return rule

    def lose(self, kind, number=1, containing=b"", before=False):
        """Ends the connection of the `number`-th message of a type ("Q" query, "P" parse, "B" bind, "E" execute, "S"
        sync ...) that has some bytes in it, counted from now on all connections: before it is passed on, or after the
        server has done what it says, and its answer is kept back."""
        with self.lock:
            self.hit.clear()
            self.rule = Rule(kind, number, containing, before)

    def cut(self, refuse=False):
        self.refusing = refuse
        with self.lock:
            links = list(self.links)
        for link in links:
            link.close()

    def freeze(self):
        self.flowing.clear()

    def heal(self):
        self.refusing = False
        self.flowing.set()

    def close(self):
        self.flowing.set()
        self.listener.shutdown(socket.SHUT_RDWR)  # closing alone would leave the thread in accept, and the port
        self.listener.close()
        self.cut(refuse=True)
