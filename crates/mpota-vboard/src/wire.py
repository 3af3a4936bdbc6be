"""The serial side of a board: a pseudo terminal that answers as the raw REPL of MicroPython does.

    python3 wire.py LOG [INTERPRETER ...]

Prints the name of the terminal. The interpreter runs vboard.py (see vboard/wire.py): it has the board's flash,
its boots and its code. WIRE_PLAIN refuses raw paste mode, which a board may do. What mpremote sends and the board prints is
in LOG. WIRE_CUT=TEXT: the power goes when the computer has sent this text.
"""

import os
import select
import signal
import subprocess
import sys
import tty

RAW = b"raw REPL; CTRL-B to exit\r\n>"


class Wire:
    def __init__(self, log, command):
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        print(os.ttyname(self.slave), flush=True)
        self.log = open(log, "wb", buffering=0)
        self.board = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self.pid = 0
        self.idle = self.raw = self.restarting = self.pending = self.paste = False
        self.code = bytearray()
        self.ends = None  # how many ends of output the code that runs has not printed yet
        self.waiting = bytearray()  # of the board's output: half a line for us
        self.later = bytearray()  # what came while code was running
        self.cut = os.environ.get("WIRE_CUT", "").encode()
        self.sent = bytearray()

    def send(self, data):
        self.log.write(b"< " + bytes(data) + b"\n")
        while data:
            data = data[os.write(self.master, data) :]

    def tell(self, data):
        self.idle = False
        self.board.stdin.write(data)

    def interrupt(self):
        self.code.clear()
        self.paste = False
        if self.idle:
            return
        try:
            os.kill(self.pid or self.board.pid, signal.SIGINT if self.pid else 0)
            self.pending = not self.pid
        except ProcessLookupError:  # it is being reset
            self.pending = True

    def key(self, byte):
        """One byte from the computer."""
        if byte == 3:
            self.later.clear()
            self.interrupt()
        elif not self.idle:
            self.later.append(byte)
        elif self.raw and byte == 1 and self.code == b"\5A":
            self.code.clear()
            self.paste = not os.environ.get("WIRE_PLAIN")
            # The window is larger than any code that comes.
            self.send(b"R\1\0\x80" if self.paste else b"R\0")
        elif byte == 1 and not self.paste:
            self.raw = True
            self.code.clear()
            self.send(b"\r\n" + RAW)
        elif byte == 2 and not self.paste:
            self.raw = False
            self.code.clear()
            self.send(b"\r\n>>> ")
        elif not self.raw:
            if byte == 4:
                self.restart()
        elif byte == 4 and not self.code and not self.paste:
            self.send(b"OK\r\n")
            self.restart()
        elif byte == 4:
            self.send(b"\4" if self.paste else b"OK")
            self.paste = False
            self.ends = 2
            self.tell(b"%d\n" % len(self.code) + bytes(self.code))
            self.code.clear()
        elif self.code or self.paste or byte not in b"\r":
            self.code.append(byte)

    def restart(self):
        self.restarting = True
        self.tell(b"raw\n" if self.raw else b"soft\n")
        self.send(b"MPY: soft reboot\r\n")

    def heard(self, data):
        """What the board has printed: without the lines that are for us."""
        self.waiting += data
        while self.waiting:
            at = self.waiting.find(b"\0")
            if at == 0:
                end = self.waiting.find(b"\n")
                if end < 0:
                    return
                self.control(bytes(self.waiting[1:end]))
                del self.waiting[: end + 1]
                continue
            plain = self.waiting[: at if at > 0 else None]
            del self.waiting[: len(plain)]
            plain = bytes(plain).replace(b"\n", b"\r\n")
            if self.ends and plain.count(b"\4") >= self.ends:
                plain += b">"
                self.ends = None
            elif self.ends:
                self.ends -= plain.count(b"\4")
            self.send(plain)

    def control(self, line):
        if line.startswith(b"pid "):
            if not self.restarting:
                self.raw = False  # a reset
            self.pid = int(line[4:])
            self.ends = None
            if self.pending:
                self.interrupt()
        elif line == b"idle":
            self.idle = True
            if self.restarting:
                self.restarting = False
                self.send(RAW if self.raw else b">>> ")
            later, self.later = self.later, bytearray()
            for byte in later:
                self.key(byte)

    def run(self):
        while True:
            ready, _, _ = select.select([self.master, self.board.stdout], [], [])
            if self.board.stdout in ready:
                data = os.read(self.board.stdout.fileno(), 4096)
                if not data:
                    return
                self.heard(data)
            if self.master in ready:
                data = os.read(self.master, 4096)
                self.log.write(b"> " + data + b"\n")
                self.sent += data
                if self.cut and self.cut in self.sent:
                    return
                del self.sent[: -len(self.cut) or len(self.sent)]
                for byte in data:
                    self.key(byte)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    wire = Wire(sys.argv[1], sys.argv[2:])
    try:
        wire.run()
    finally:
        wire.board.kill()
        if wire.pid:
            try:
                os.kill(wire.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
