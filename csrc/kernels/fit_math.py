"""Finds the coefficients in math.inl.h: weighted minimax fits by Lawson's algorithm, at 60 digits.

Coefficients are rounded to the kernel's type one after the other, lowest power first, and the rest is fitted again
after each, so the later ones make up for the rounding of the earlier ones. Prints C++ arrays and the error reached.
Run: python3 fit_math.py [name ...]
"""

import struct
import sys

from mpmath import mp, mpf

mp.dps = 60


def to_float(x, bits):
    """Nearest value with `bits` of precision (24 or 53); exponents are far from the limits here."""
    x = mpf(x)
    if x == 0:
        return x
    m, e = mp.frexp(x)
    return mp.ldexp(mp.nint(mp.ldexp(m, bits)), e - bits)


def minimax(basis, target, weight, points, rounds=25):
    """Coefficients c minimising max |weight * (sum c_i basis_i - target)| over the points, by Lawson's algorithm.

    These are least squares whose weights are multiplied by the error after each round. Unlike an exchange of extrema
    this needs no rule of alternation, which fails once some coefficients are fixed.
    """
    n = len(basis)
    rows = [[weight(x) * b(x) for b in basis] for x in points]
    goal = [weight(x) * target(x) for x in points]
    emphasis = [mpf(1) / len(points)] * len(points)
    best = None
    for _ in range(rounds):
        weighted = [[e * v for v in row] for e, row in zip(emphasis, rows)]
        columns = list(zip(*rows))
        weighted_columns = list(zip(*weighted))
        a = mp.matrix(n, n)
        b = mp.matrix(n, 1)
        for i in range(n):
            for j in range(i + 1):
                a[i, j] = a[j, i] = mp.fdot(weighted_columns[i], columns[j])
            b[i] = mp.fdot(weighted_columns[i], goal)
        solution = list(mp.lu_solve(a, b))
        error = [abs(mp.fdot(solution, row) - g) for row, g in zip(rows, goal)]
        worst = max(error)
        if best is None or worst < best[1]:
            best = (solution, worst)
        emphasis = [e * r for e, r in zip(emphasis, error)]
        total = sum(emphasis)
        if total == 0:
            break
        emphasis = [e / total for e in emphasis]
    return best


def chebyshev_points(low, high, count=160):
    low, high = mpf(low), mpf(high)
    return [(low + high) / 2 - (high - low) / 2 * mp.cos(mp.pi * i / (count - 1)) for i in range(count)]


def remembered(f):
    values = {}
    return lambda x: values[x] if x in values else values.setdefault(x, f(x))


def fit(name, target, weight, low, high, powers, bits, fixed=()):
    """Fits target(x) by sum c_p x^p, p in powers; `fixed` gives leading coefficients that must stay as they are."""
    points = [x for x in chebyshev_points(low, high) if weight(x) != 0]
    target, weight = remembered(target), remembered(weight)
    done = [mpf(c) for c in fixed]
    while len(done) < len(powers):
        free = powers[len(done) :]
        rest = lambda x: target(x) - sum(c * x**p for c, p in zip(done, powers))
        coefficients, _ = minimax([lambda x, p=p: x**p for p in free], rest, weight, points)
        done.append(to_float(coefficients[0], bits))
    error = max(abs(weight(x) * (sum(c * x**p for c, p in zip(done, powers)) - target(x))) for x in points)
    show(name, done, bits, error)
    return done


def literal(c, bits):
    c = float(c)
    if bits == 24:
        assert struct.unpack("f", struct.pack("f", c))[0] == c
        mantissa, _, exponent = c.hex().partition("p")
        return mantissa.rstrip("0").rstrip(".") + "p" + exponent + "f"
    return c.hex()


def show(name, coefficients, bits, error):
    print(f"// {name}: error 2^{float(mp.log(error, 2)):.1f}")
    print("{" + ", ".join(literal(c, bits) for c in coefficients) + "};", flush=True)


ln2 = mp.log(2)


def expm1_q(x):
    return (mp.expm1(x) - x) / x**2 if x != 0 else mpf(1) / 2


def fit_exp(bits, count):
    # exp(r) = 1 + r + r^2 Q(r), |r| <= ln 2 / 2.
    top = ln2 / 2 * mpf("1.0001")
    fit(f"exp Q {bits}", expm1_q, lambda x: x**2 / mp.exp(x), -top, top, list(range(count)), bits, fixed=(mpf("0.5"),))


def fit_expm1(bits, count):
    # expm1(r) = r + r^2 Q(r), |r| <= ln 2 / 2.
    top = ln2 / 2 * mpf("1.0001")
    fit(
        f"expm1 Q {bits}",
        expm1_q,
        lambda x: x**2 / abs(mp.expm1(x)) if x != 0 else 0,
        -top,
        top,
        list(range(count)),
        bits,
        fixed=(mpf("0.5"),),
    )


def fit_log(bits, count):
    # log(1 + f) = 2 atanh(s), s = f / (2 + f), z = s^2:  2 atanh(s) - 2 s = s R(z), R = z (2/3 + 2/5 z + ...).
    top = (mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)
    target = lambda z: (2 * mp.atanh(mp.sqrt(z)) / mp.sqrt(z) - 2) / z if z != 0 else mpf(2) / 3
    fit(f"log R/z {bits}", target, lambda z: z / 2, mpf(10) ** -12, (top * mpf("1.001")) ** 2, list(range(count)), bits)


def fit_log_tail(bits, count):
    # The part of 2 atanh(s) beyond s and s^3, for the two-word logarithm of pow: 2/5 + 2/7 z + ...
    top = (mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)
    target = lambda z: ((2 * mp.atanh(mp.sqrt(z)) / mp.sqrt(z) - 2) / z - mpf(2) / 3) / z
    fit(
        f"log tail {bits}",
        target,
        lambda z: z**2 / 2,
        mpf(10) ** -10,
        (top * mpf("1.001")) ** 2,
        list(range(count)),
        bits,
    )


def fit_tanh(bits, count, top):
    # tanh(x) = x + x z P(z), z = x^2.
    target = lambda z: (mp.tanh(mp.sqrt(z)) / mp.sqrt(z) - 1) / z
    fit(
        f"tanh P {bits}",
        target,
        lambda z: z * mp.sqrt(z) / mp.tanh(mp.sqrt(z)),
        mpf(10) ** -12,
        mpf(top) ** 2,
        list(range(count)),
        bits,
    )


def fit_tanh_exp(bits, count, low):
    # exp(2 r), |r| <= ln 2 / 4, for 1 - 2 / (1 + exp(2 a)), a = n ln 2 / 2 + r >= low, which changes by
    # 2 e / (1 + e)^2 of the relative change of e = exp(2 a): most at the lowest a.
    def weight(r):
        a = ln2 + r if ln2 + r >= low else 3 * ln2 / 2 + r
        e = mp.exp(2 * a)
        return 2 * e / (1 + e) ** 2 * mp.exp(-2 * r)

    low, top = mpf(low), ln2 / 4 * mpf("1.0001")
    target = lambda r: mp.exp(2 * r)
    fit(f"tanh E {bits}", target, weight, -top, top, list(range(count)), bits, fixed=(mpf(1), mpf(2)))


def fit_tanh_rational(bits, p_count, q_count, top):
    # tanh(x) = x + x z P(z) / Q(z), Q(0) = 1 scaled: the linearised problem P - g Q, with the last Q as a weight.
    g = lambda z: (mp.tanh(mp.sqrt(z)) / mp.sqrt(z) - 1) / z
    weight = lambda z: z * mp.sqrt(z) / mp.tanh(mp.sqrt(z))
    points = [x for x in chebyshev_points(mpf(10) ** -12, mpf(top) ** 2)]
    q = [mpf(1)] + [mpf(0)] * q_count
    value = lambda c, z: sum(ci * z**i for i, ci in enumerate(c))
    known_p, known_q = [], []
    p = []
    # Round alternately from the lowest power; after each rounding iterate the linearisation a few times.
    order = [("p", i) for i in range(p_count)] + [("q", i) for i in range(1, q_count + 1)]
    order.sort(key=lambda item: (item[1], item[0]))
    while order:
        for _ in range(6):
            free_p = [i for kind, i in order if kind == "p"]
            free_q = [i for kind, i in order if kind == "q"]
            basis = [lambda z, i=i: z**i for i in free_p] + [lambda z, i=i: -g(z) * z**i for i in free_q]
            rest = lambda z: g(z) * (1 + sum(c * z ** (i + 1) for i, c in enumerate(known_q))) - value(known_p, z)
            w = lambda z: weight(z) / abs(value(q, z))
            c, _ = minimax(basis, rest, w, points)
            p = known_p + c[: len(free_p)]
            q = [mpf(1), *known_q, *c[len(free_p) :]]
        kind, i = order.pop(0)
        if kind == "p":
            known_p.append(to_float(p[i], bits))
        else:
            known_q.append(to_float(q[i], bits))
    q = [mpf(1), *known_q]
    error = max(abs(weight(z) * (value(known_p, z) / value(q, z) - g(z))) for z in points)
    show(f"tanh P {bits}", known_p, bits, error)
    show(f"tanh Q {bits}", q, bits, error)


def fit_tanh_table(count):
    # tanh(c + r) = T0 + T1 r + ... on 32 intervals, four to each power of 2 up to 10; the first begins at 0 and is odd.
    # c is taken near the middle, where T0 is all but exact: the rounding of T0 would be felt in full.
    to_bits = lambda x: struct.unpack("I", struct.pack("f", x))[0]
    from_bits = lambda b: struct.unpack("f", struct.pack("I", b))[0]
    lowest = to_bits(0.0390625) >> 21
    table = [[mpf(0)] * 32 for _ in range(count + 1)]
    worst = mpf(0)
    for key in range(lowest, lowest + 32):
        low, high = from_bits(key << 21), from_bits((key + 1) << 21)
        powers, fixed, c = [1, 3, 5], [mpf(1)], mpf(0)
        if key == lowest:
            low = 2.0**-20
        else:
            powers = list(range(count))
            middle = to_bits((low + high) / 2)
            near = [mpf(from_bits(middle + d)) for d in range(-1000, 1001)]
            c = min(near, key=lambda x: abs(to_float(mp.tanh(x), 24) / mp.tanh(x) - 1))
            fixed = [to_float(mp.tanh(c), 24)]
        points = chebyshev_points(mpf(low) - c, mpf(high) - c, 60)
        target = remembered(lambda r, c=c: mp.tanh(c + r))
        weight = remembered(lambda r, c=c: 1 / mp.tanh(c + r))
        done = fixed
        while len(done) < len(powers):
            rest = lambda r: target(r) - sum(t * r**p for t, p in zip(done, powers))
            basis = [lambda r, p=p: r**p for p in powers[len(done) :]]
            done.append(to_float(minimax(basis, rest, weight, points, rounds=10)[0][0], 24))
        error = max(abs(weight(r) * (sum(t * r**p for t, p in zip(done, powers)) - target(r))) for r in points)
        worst = max(worst, error)
        table[0][key % 32] = c
        for power, t in zip(powers, done):
            table[power + 1][key % 32] = t
    print(f"// tanh table: error 2^{float(mp.log(worst, 2)):.1f}")
    for row in table:
        print("{" + ", ".join(literal(c, 24) for c in row) + "},")


def fit_erf(bits, count, top):
    # erf(x) = x + x P(z), z = x^2.
    target = lambda z: mp.erf(mp.sqrt(z)) / mp.sqrt(z) - 1
    fit(
        f"erf P {bits}",
        target,
        lambda z: mp.sqrt(z) / mp.erf(mp.sqrt(z)),
        mpf(10) ** -12,
        mpf(top) ** 2,
        list(range(count)),
        bits,
    )


def fit_mills(bits, count, k, top):
    # Phi(-a) = exp(-a^2 / 2) v G(u), v = 1 / (a + K), u = 1 - 2 K v = (a - K) / (a + K) in [-1, 1).
    def target(u):
        a = k * (1 + u) / (1 - u)
        return (a + k) * mp.erfc(a / mp.sqrt(2)) / 2 * mp.exp(a * a / 2)

    high = (mpf(top) - k) / (mpf(top) + k)
    fit(f"mills G {bits} K={k}", target, lambda u: 1 / target(u), -1, high, list(range(count)), bits)


def fit_sin(bits, count):
    target = lambda z: (mp.sin(mp.sqrt(z)) / mp.sqrt(z) - 1) / z
    fit(
        f"sin {bits}",
        target,
        lambda z: z * mp.sqrt(z) / mp.sin(mp.sqrt(z)),
        mpf(10) ** -12,
        (mp.pi / 4 * mpf("1.001")) ** 2,
        list(range(count)),
        bits,
    )


def fit_cos(bits, count):
    target = lambda z: (mp.cos(mp.sqrt(z)) - 1 + z / 2) / z**2
    fit(
        f"cos {bits}",
        target,
        lambda z: z**2 / mp.cos(mp.sqrt(z)),
        mpf(10) ** -10,
        (mp.pi / 4 * mpf("1.001")) ** 2,
        list(range(count)),
        bits,
    )


FITS = {
    "exp32": lambda: fit_exp(24, 5),
    "exp64": lambda: fit_exp(53, 10),
    "expm132": lambda: fit_expm1(24, 6),
    "expm164": lambda: fit_expm1(53, 11),
    "log32": lambda: fit_log(24, 4),
    "log64": lambda: fit_log(53, 7),
    "logtail64": lambda: fit_log_tail(53, 8),
    "tanh32": lambda: fit_tanh(24, 4, "0.5625"),
    "tanhexp32": lambda: fit_tanh_exp(24, 6, "0.5625"),
    "tanhtable32": lambda: fit_tanh_table(6),
    "tanh64": lambda: fit_tanh_rational(53, 3, 3, "0.625"),
    "erf32": lambda: fit_erf(24, 7, 1),
    "erf64": lambda: fit_erf(53, 13, 1),
    "mills32": lambda: fit_mills(24, 10, 4, "14.6"),
    "mills64": lambda: fit_mills(53, 24, 4, "38.8"),
    "sin32": lambda: fit_sin(24, 3),
    "sin64": lambda: fit_sin(53, 6),
    "cos32": lambda: fit_cos(24, 3),
    "cos64": lambda: fit_cos(53, 6),
}

if __name__ == "__main__":
    for name in sys.argv[1:] or FITS:
        FITS[name]()
