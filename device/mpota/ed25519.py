"""mpota: Ed25519 signature verification (RFC 8032, section 5.1.7), SHA-512 included.

Strict: one signature has one accepted form, and a key that verifies anything
is refused. S is below L, A and R are canonical and not of small order, and
R = S*B - k*A holds exactly, without the cofactor. No input is secret, so the
time may depend on them.

It takes a board seconds, and so goes in steps: others have their turn at each yield.
"""

from array import array

_P = (1 << 255) - 19
_L = (1 << 252) + 27742317777372353535851937790883648493
_M64 = (1 << 64) - 1
# d of the curve, and its base point.
_D = 0x52036CEE2B6FFE738CC740797779E89800700A4D4141D8AB75EB4DCA135978A3
_BX = 0x216936D3CD6E53FEC0A4E231FDD6DC5C692CC7609525A7B2C9562D608F25D51A
_BY = 0x6666666666666666666666666666666666666666666666666666666666666658


def _constants():
    """The words of the initial state, and those of the 80 rounds."""
    # Computed, as written out they would be a quarter of this module. They are the
    # fractions of the square and the cube roots of the first primes. Newton's method
    # gets there in six steps from the root of the prime before.
    init = []
    k = [array("Q", bytes(128)) for _ in range(5)]  # small pieces of memory
    n = 0
    r = s = 2 << 64
    for p in range(2, 410):
        if not p & 7:
            yield 0
        for q in range(2, 21):  # enough, as 23 * 23 is above 410
            if p % q == 0 and p != q:
                break
        else:
            if n < 8:
                for _ in range(6):
                    s = (s + (p << 128) // s) >> 1
                init.append(s & _M64)
            for _ in range(6):
                r = (2 * r + (p << 192) // (r * r)) // 3
            k[n >> 4][n & 15] = r & _M64
            n += 1
    return init, k


def _sha512(data):
    state, k = yield from _constants()
    mask = _M64
    # A word times this is the word twice side by side, and a shift of that a
    # rotation. What is above 64 bits is garbage and is masked off with the sum.
    twice = mask + 2
    n = len(data)
    data += b"\x80" + bytes(-(n + 17) % 128 + 8) + (n * 8).to_bytes(8, "big")
    for block in range(0, len(data), 128):
        w = [int.from_bytes(data[i : i + 8], "big") for i in range(block, block + 128, 8)]
        a, b, c, d, e, f, g, h = state
        for t in range(80):
            i = t & 15
            if not i:
                yield 0
            x = w[i]
            if t > 15:
                y = w[(i + 1) & 15]
                z = w[(i + 14) & 15]
                yy = y * twice
                zz = z * twice
                x += (yy >> 1 ^ yy >> 8 ^ y >> 7) + (zz >> 19 ^ zz >> 61 ^ z >> 6) + w[(i + 9) & 15]
                x &= mask
                w[i] = x
            y = e * twice
            x += h + (y >> 14 ^ y >> 18 ^ y >> 41) + (g ^ e & (f ^ g)) + k[t >> 4][i]
            h, g, f = g, f, e
            e = (d + x) & mask
            y = a * twice
            x += (y >> 28 ^ y >> 34 ^ y >> 39) + (a & b ^ c & (a ^ b))
            d, c, b = c, b, a
            a = x & mask
        state = [(x + y) & mask for x, y in zip(state, (a, b, c, d, e, f, g, h))]
    return b"".join([x.to_bytes(8, "big") for x in state])


# A point is (e, f, g, h), four factors of its extended coordinates: X = e*f,
# Y = g*h, Z = f*g, T = e*h. That way T is multiplied only where it is used.


def _inverse(x):
    # Euclid: a fraction of the time of a power
    a, b, s, t = _P, x % _P, 0, 1
    while b:
        q = a // b
        a, b = b, a - q * b
        s, t = t, s - q * t
    return s % _P


def _double(e, f, g, h):
    p = _P
    x, y, z = e * f % p, g * h % p, f * g % p
    a, b = x * x % p, y * y % p
    g = b - a
    return (x + x) * y % p, ((z + z) * z - g) % p, g, a + b


def _add(e, f, g, h, q, negative):
    """The sum with, or the difference to a point from _prepare()."""
    p = _P
    plus, minus, t, z = q
    if negative:
        plus, minus, t = minus, plus, -t
    x, y = e * f % p, g * h % p
    a, b = (y - x) * minus % p, (y + x) * plus % p
    t, z = t * (e * h % p) % p, z * (f * g % p) % p
    return b - a, z - t, z + t, b + a


def _prepare(e, f, g, h):
    x, y, z = e * f % _P, g * h % _P, f * g % _P
    return y + x, y - x, e * h * _D * 2 % _P, z + z


def _odd(x, y):
    """1, 3, 5 and 7 times the point, prepared for _add()."""
    q = (x, 1, 1, y)
    twice = _prepare(*_double(*q))
    table = [_prepare(*q)]
    for _ in range(3):
        q = _add(*q, twice, False)
        table.append(_prepare(*q))
    return table


def _digits(k):
    """The digits of a number, the lowest first: mostly 0, else odd; above 8 it is 16 less."""
    k = k.to_bytes(33, "little")
    digits = bytearray(256)
    i = carry = 0
    while i < 256:
        d = ((k[i >> 3] | k[(i >> 3) + 1] << 8) >> (i & 7) & 15) + carry
        if d & 1:
            digits[i] = d
            carry = d >> 3
            i += 3
        i += 1
    return digits


def _small(x, y):
    """Whether the order divides 8: x = 0 for 1 and 2, y = 0 for 4, and x*x = -y*y for 8."""
    return x * y * (x * x + y * y) % _P == 0


def _power(c):
    """c to the power of (p - 5) / 8, which is 2**252 - 3."""
    p = _P
    # r is c to the power of 2**n - 1, for n = 1, 3, 7, 15, 31, 62, 125, 250: the bits of 250
    r, n = c, 1
    for bit in b"\1\1\1\1\0\1\0":
        s = r
        for i in range(n):
            s = s * s % p
            if not i & 15:
                yield 0
        r = r * s % p
        n *= 2
        if bit:
            r = r * r * c % p
            n += 1
    r = r * r % p
    return r * r * c % p


def _x(y):
    """An x for the y of a point, None if there is none: RFC 8032, section 5.1.3."""
    u, v = y * y - 1, (_D * y * y + 1) % _P
    w = u * v * v * v % _P
    x = (yield from _power(w * v * v * v * v % _P)) * w % _P
    if (v * x * x - u) % _P:
        # A square times -1? Then a root of -1 is missing: 2**((p - 1) / 4)
        r = yield from _power(2)
        x = x * r * r * 2 % _P
        if (v * x * x - u) % _P:
            return None
    return x


def verify(public, message, signature):
    """In steps: whether the 64 bytes are a signature of the message by the key of 32 bytes."""
    if len(public) != 32 or len(signature) != 64:
        return False
    y = int.from_bytes(public, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    s = int.from_bytes(signature[32:], "little")
    if y >= _P or s >= _L:
        return False
    x = yield from _x(y)
    if x is None or _small(x, y):
        return False
    k = yield from _sha512(signature[:32] + public + message)
    k = int.from_bytes(k, "little") % _L
    if x & 1 == sign:
        x = _P - x  # -A
    tables = (_odd(_BX, _BY), _odd(x, y))
    digits = (_digits(s), _digits(k))
    q = (0, 1, 1, 1)
    for i in range(255, -1, -1):
        if not i & 3:
            yield 0
        q = _double(*q)
        for j in (0, 1):
            d = digits[j][i]
            if d:
                q = _add(*q, tables[j][(d if d < 8 else 16 - d) >> 1], d > 8)
    e, f, g, h = q
    z = _inverse(f * g)
    x, y = e * f * z % _P, g * h * z % _P
    # Encoded anew it is canonical, so a sender's R that is not is refused here.
    r = (y | (x & 1) << 255).to_bytes(32, "little")
    return r == signature[:32] and not _small(x, y)
