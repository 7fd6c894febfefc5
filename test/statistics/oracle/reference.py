"""Reference values for reports/statistics, from scipy, statsmodels and slow textbook forms; none of this shares code with what it checks.

Regenerate, from the project's root:  python3 test/statistics/oracle/reference.py > test/statistics/oracle/reference.json
Needs scipy and statsmodels (Debian: python3-scipy, python3-statsmodels). All data are fixed or made by the generator below, so the
values are the same on every machine up to rounding; only `versions` differs.
"""
import itertools
import json
import math
import platform

import numpy as np
import scipy
import statsmodels
from scipy import optimize, stats
from statsmodels.distributions.empirical_distribution import ECDF, _conf_set
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint
from statsmodels.tsa.stattools import acf


def uniforms(seed, count):
    """Park and Miller's minimal standard generator: data without anybody's random module."""
    state, out = seed, []
    for _ in range(count):
        state = 48271 * state % 2147483647
        out.append(state / 2147483647)
    return np.array(out)


def normals(seed, count, centre=0.0, spread=1.0):
    return [round(float(centre + spread * z), 6) for z in stats.norm.ppf(uniforms(seed, count))]


def exponentials(seed, count, mean=1.0):
    return [round(float(-mean * math.log(u)), 6) for u in uniforms(seed, count)]


def student(p, freedom):
    """scipy 1.10 finds Student's quantile to nine digits only (with one degree of freedom it is a cotangent); its own distribution function mends it."""
    if freedom == 1:
        return -1 / math.tan(math.pi * p)
    if freedom > 1e9:
        return float(stats.norm.ppf(p))
    t = stats.t.ppf(p, freedom)
    for _ in range(3):
        t -= (stats.t.cdf(t, freedom) - p if p < 0.5 else (1 - p) - stats.t.sf(t, freedom)) / stats.t.pdf(t, freedom)
    return float(t)


def distributions():
    return {
        "normalCdf": [[z, float(stats.norm.cdf(z))] for z in (-37.0, -12.5, -8.0, -3.1, -1.959964, -0.5, -1e-9, 0.0, 0.3, 1.0, 2.5, 6.0)],
        "normalQuantile": [[p, float(stats.norm.ppf(p))] for p in (1e-300, 1e-15, 1e-6, 0.001, 0.025, 0.2, 0.5, 0.8, 0.975, 0.99999, 1 - 1e-12)],
        "studentQuantile": [[p, f, student(p, f)] for p in (1e-8, 0.0005, 0.025, 0.2, 0.6, 0.975, 0.9999) for f in (1, 2, 3.7, 4, 9, 29.3, 1000, 9e6, 1e7, 1e12)],
        "betaQuantile": [[p, a, b, float(stats.beta.ppf(p, a, b))] for p in (1e-6, 0.025, 0.5, 0.975, 0.999999)
                         for a, b in ((1, 1), (1, 3000), (2, 9), (0.5, 0.5), (17, 4), (2990, 11), (500000, 500001))],
        "binomialQuantile": [[p, n, q, int(stats.binom.ppf(p, n, q))] for p in (1e-6, 0.025, 0.5, 0.975, 0.9999)
                             for n, q in ((1, 0.5), (7, 0.5), (101, 0.5), (20, 0.9), (367, 0.99), (1000, 0.999), (1000000, 0.99))],
    }


def proportions():
    counts = [(0, 1), (1, 1), (0, 10), (1, 10), (5, 10), (10, 10), (3, 2995), (2995, 2995), (999, 1000), (123456, 1000000)]
    rows = []
    for successes, attempts in counts:
        for level in (0.9, 0.95, 0.999):
            w = proportion_confint(successes, attempts, alpha=1 - level, method="wilson")
            c = proportion_confint(successes, attempts, alpha=1 - level, method="beta")
            rows.append({"successes": successes, "attempts": attempts, "level": level, "wilson": [float(x) for x in w], "clopperPearson": [float(x) for x in c]})
    clean = []
    for share, level in ((0.001, 0.95), (0.01, 0.95), (0.001, 0.99), (0.5, 0.95), (0.03, 0.5)):
        n = 1
        while stats.binom.pmf(0, n, share) > 1 - level:
            n += 1
        clean.append({"share": share, "level": level, "attempts": n})
    return {"intervals": rows, "clean": clean}


def students():
    samples = [[1.0, 2.0], [10.1, 9.8, 10.4, 10.0, 9.9], [5.0, 5.0, 5.0], normals(11, 20, 250, 30), [1e9 + x for x in normals(12, 8)]]
    intervals = []
    for values in samples:
        for level in (0.8, 0.95, 0.999):
            mean, error = np.mean(values), stats.sem(values)
            low, high = (mean, mean) if error == 0 else (mean + student(p, len(values) - 1) * error for p in ((1 - level) / 2, (1 + level) / 2))
            intervals.append({"values": values, "level": level, "mean": float(mean), "standardDeviation": float(np.std(values, ddof=1)), "low": float(low), "high": float(high)})
    further = []
    for done, half, wanted, level in ((5, 0.08, 0.05, 0.95), (3, 0.5, 0.05, 0.95), (2, 1.0, 0.3, 0.9), (10, 0.04, 0.05, 0.95), (8, 0.2, 0.011, 0.99), (4, 1.0, 0.02, 0.95)):
        spread = half * math.sqrt(done) / student((1 + level) / 2, done - 1)
        n = done
        while student((1 + level) / 2, n - 1) * spread / math.sqrt(n) > wanted:
            n += 1
        further.append({"done": done, "half": half, "wanted": wanted, "level": level, "further": n - done})
    return {"intervals": intervals, "further": further}


def quantiles():
    samples = [[3.0], [1.0, 2.0], [4.0, 4.0, 4.0, 9.0], exponentials(21, 40, 12), exponentials(22, 400, 12)]
    points, intervals = [], []
    for values in samples:
        for share in (0.0, 0.1, 0.5, 0.95, 0.99, 1.0):
            points.append({"values": values, "share": share, "quantile": float(np.quantile(values, share))})
        for share in (0.1, 0.5, 0.95, 0.99):
            for level in (0.85, 0.95, 0.99):
                # Value number l may be below the quantile unless fewer than l are below it, and that is rare: P(fewer than l) ≤ α / 2. Likewise from above.
                n, ordered, rare = len(values), sorted(values), (1 - level) / 2
                chances = [float(stats.binom.pmf(k, n, share)) for k in range(n + 1)]
                lows = [l for l in range(1, n + 1) if math.fsum(chances[:l]) <= rare]
                highs = [u for u in range(1, n + 1) if math.fsum(chances[u:]) <= rare]
                intervals.append({"values": values, "share": share, "level": level, "low": ordered[max(lows) - 1] if lows else None, "high": ordered[min(highs) - 1] if highs else None})
    return {"points": points, "intervals": intervals}


def bootstraps():
    """Tiny samples have so few resamples that all can be listed: the exact ends of the interval, by scipy's own acceleration and bias."""
    exact = []
    for values in ([3.0, 4.5, 4.7, 6.1, 11.0], [10.0, 10.0, 10.5, 11.0, 30.0]):
        for name, statistic in (("mean", np.mean), ("median", np.median)):
            replicates = np.sort([float(statistic(draw)) for draw in itertools.product(values, repeat=len(values))])
            exact.append({"values": values, "statistic": name, "level": 0.9, "percentile": [float(np.quantile(replicates, 0.05)), float(np.quantile(replicates, 0.95))]})
    scipys = []
    skewed, other = exponentials(31, 25, 40), [x + 20 for x in exponentials(32, 18, 40)]
    for name, data, statistic in (("mean", (skewed,), lambda x, axis: np.mean(x, axis=axis)), ("median", (skewed,), lambda x, axis: np.median(x, axis=axis)),
                                  ("ratioOfMeans", (skewed, other), lambda x, y, axis: np.mean(x, axis=axis) / np.mean(y, axis=axis)),
                                  ("ratioOfMedians", (skewed, other), lambda x, y, axis: np.median(x, axis=axis) / np.median(y, axis=axis))):
        row = {"statistic": name, "a": data[0], "b": data[-1], "level": 0.95}
        for method, key in (("percentile", "percentile"), ("BCa", "bca")):
            interval = stats.bootstrap(data, statistic, n_resamples=200000, batch=5000, confidence_level=0.95, method=method, random_state=np.random.RandomState(7)).confidence_interval
            row[key] = [float(interval.low), float(interval.high)]
        scipys.append(row)
    return {"exact": exact, "scipy": scipys}


def rank_tests():
    pairs = [([1.0], [2.0]), ([1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0]), ([1.0, 2.0, 2.0], [2.0, 3.0, 9.0]), ([5.0, 5.0], [5.0, 5.0, 5.0]),
             (normals(41, 12), normals(42, 9, 0.7)), (normals(43, 49), normals(44, 49, 0.4)), (normals(45, 50), normals(46, 60, 0.1)),
             ([round(x, 1) for x in normals(47, 30)], [round(x, 1) for x in normals(48, 25, 1.0)]), (normals(49, 30), normals(50, 30, 50.0))]
    rows = []
    for a, b in pairs:
        tied = len(set(a + b)) < len(a) + len(b)
        exact = not tied and max(len(a), len(b)) < 50
        result = stats.mannwhitneyu(a, b, alternative="two-sided", method="exact" if exact else "asymptotic", use_continuity=True)
        p = 1.0 if len(set(a + b)) == 1 else float(result.pvalue)
        differences = [x - y for x in a for y in b]
        delta = (sum(d > 0 for d in differences) - sum(d < 0 for d in differences)) / len(differences)
        rows.append({"a": a, "b": b, "u": float(result.statistic), "p": p, "exact": exact, "cliffsDelta": delta, "shift": float(np.median(differences))})
    return rows


def holms():
    return [{"p": p, "adjusted": [float(x) for x in multipletests(p, method="holm")[1]]}
            for p in ([0.03], [0.01, 0.04, 0.03, 0.005], [0.5, 0.5, 0.5], [1.0, 0.0, 0.2], [1e-300, 0.04, 0.02, 0.02, 0.9], [float(x) for x in uniforms(51, 12)])]


def warm_ups():
    """The definition, with no running sums: for each truncation the variance of what is left over its number."""
    series = {"steady": normals(61, 200, 1000, 20), "ramp up": [round(1000 * (1 - math.exp(-i / 12)) + e, 6) for i, e in enumerate(normals(62, 240, 0, 15))],
              "never settles": [round(3.0 * i + e, 6) for i, e in enumerate(normals(63, 120, 0, 4))], "constant": [7.0] * 60, "short": normals(64, 49), "short and growing": [round(2.0 * i + e, 6) for i, e in enumerate(normals(69, 60, 0, 3))],
              "large offset": [1e9 + x for x in normals(65, 150)], "not in fives": normals(66, 103, 5, 1), "jump": normals(67, 40, 50, 2) + normals(68, 110, 20, 2), "jump after more than half": normals(82, 90, 50, 2) + normals(83, 60, 20, 2)}
    rows = []
    for name, values in series.items():
        batches = [float(np.mean(values[i:i + 5])) for i in range(0, len(values) - 4, 5)]
        if len(batches) < 10:
            rows.append({"name": name, "values": values, "truncated": 0, "marginalSquare": None, "verdict": "too short"})
            continue
        marginal = [float(np.var(batches[d:])) / (len(batches) - d) for d in range(len(batches) - 5)]
        best = int(np.argmin(marginal))
        rows.append({"name": name, "values": values, "truncated": 5 * best, "marginalSquare": marginal[best], "verdict": "never settled" if 2 * best > len(batches) or best == len(marginal) - 1 else "steady"})
    return rows


def divergence(x, y):
    """Matteson and James 2014: n m / (n + m) times the sample energy distance, each mean over its own pairs."""
    n, m = len(x), len(y)
    between = sum(abs(p - q) for p in x for q in y) * 2 / (n * m)
    within_x = sum(abs(p - q) for p, q in itertools.combinations(x, 2)) / math.comb(n, 2)
    within_y = sum(abs(p - q) for p, q in itertools.combinations(y, 2)) / math.comb(m, 2)
    return n * m / (n + m) * (between - within_x - within_y)


def best_split(values, least):
    best = None
    for left in range(least, len(values) - least + 1):
        for last in range(left + least, len(values) + 1):
            q = divergence(values[:left], values[left:last])
            if best is None or q > best[2] + 1e-12 * abs(best[2]):
                best = (left, last, q)
    return best


def change_points():
    splits = []
    for values, least in ((normals(71, 30), 2), (normals(72, 15) + normals(73, 15, 3), 5), (normals(74, 12) + normals(75, 12, 0, 8), 4), ([1.0, 1.0, 2.0, 2.0, 2.0, 1.0, 9.0, 9.0], 2)):
        left, last, q = best_split(values, least)
        splits.append({"values": values, "least": least, "index": left, "end": last, "divergence": q})
    divided = []
    for values, least, changes in ((normals(76, 12, 100, 2) + normals(77, 10, 120, 2) + normals(78, 14, 106, 2), 5, 2),
                                   (normals(79, 14, 10, 1) + normals(80, 14, 16, 1) + normals(81, 10, 16, 0.05), 5, 1)):
        borders, found = [0, len(values)], []
        for _ in range(changes):
            candidates = []
            for start, end in zip(borders, borders[1:]):
                if end - start >= 2 * least:
                    left, _, q = best_split(values[start:end], least)
                    candidates.append((q, start + left))
            q, index = max(candidates)
            found.append({"index": index, "divergence": q})
            borders = sorted(borders + [index])
        divided.append({"values": values, "least": least, "found": sorted(found, key=lambda row: row["index"])})
    permuted = []
    for values in ([1.0, 2.5, 1.5, 8.0, 9.0, 7.5], [3.0, 1.0, 2.0, 2.5, 4.5, 3.5, 5.0]):
        observed = best_split(values, 2)[2]
        orders = list(itertools.permutations(values))
        permuted.append({"values": values, "p": sum(best_split(order, 2)[2] >= observed * (1 - 1e-12) for order in orders) / len(orders)})
    return {"splits": splits, "divided": divided, "permuted": permuted}


def law(parameters, n):
    scale, sigma, kappa = parameters
    return scale * n / (1 + sigma * (n - 1) + kappa * n * (n - 1))


def scalability():
    """Bounded least squares by scipy, then the roots of the gradient in those parameters that are not at their bound: least_squares stops at eight digits."""
    sets = {
        # SPEC SDM91 as Gunther prints it; R's package usl reports sigma 0.0277, kappa 0.000104.
        "sdm91": ([1, 18, 36, 72, 108, 144, 216], [64.9, 995.9, 1652.4, 1853.2, 1828.9, 1775.0, 1702.2]),
        "raytracer": ([1, 4, 8, 12, 16, 20, 24, 28, 32, 48, 64], [20, 78, 130, 170, 190, 200, 210, 230, 260, 280, 310]),
        "linear": ([1, 2, 3, 4], [500.0, 1010.0, 1490.0, 2020.0]),
        "exact": ([1, 2, 4, 8, 16], [law((1000, 0.05, 0.002), n) for n in (1, 2, 4, 8, 16)]),
        "crosstalk only": ([1, 2, 4, 8, 12], [100.0, 199.5, 390.0, 690.0, 800.0]),
        "contention only": ([1, 2, 4, 8, 16], [100.0, 174.0, 280.0, 398.0, 520.0]),
    }
    rows = []
    for name, (n, x) in sets.items():
        n, x = np.array(n, float), np.array(x, float)
        start = [x[0] / n[0], 0.02, 1e-4]
        fit = optimize.least_squares(lambda p: law(p, n) - x, start, bounds=([0, 0, 0], np.inf), x_scale=[x[0], 0.01, 1e-4], xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=10000).x
        best = None
        for free in ([0], [0, 1], [0, 2], [0, 1, 2]):
            def whole(p):
                full = np.zeros(3)
                full[free] = p
                return full

            def gradient(p):
                scale, sigma, kappa = whole(p)
                under = 1 + sigma * (n - 1) + kappa * n * (n - 1)
                columns = np.array([n / under, -scale * n * (n - 1) / under ** 2, -scale * n ** 2 * (n - 1) / under ** 2])
                return (columns @ (law((scale, sigma, kappa), n) - x))[free] * np.array([1, scale, scale])[:len(free)] / scale

            solved = optimize.root(gradient, fit[free], tol=1e-15)
            p = whole(solved.x)
            squares = float(np.sum((law(p, n) - x) ** 2))
            if (p >= 0).all() and (best is None or squares < best[0] - 1e-15 * np.sum(x ** 2)):
                best = (squares, p)
        assert np.allclose(law(best[1], n), law(fit, n), rtol=1e-5), name
        scale, sigma, kappa = (float(v) for v in best[1])
        rows.append({"name": name, "n": n.tolist(), "x": x.tolist(), "lambda": scale, "sigma": sigma, "kappa": kappa, "residual": math.sqrt(best[0] / len(n))})
    return rows


def lines():
    rows = []
    for x, y in (([1.0, 2.0, 3.0], [2.1, 3.9, 6.2]), ([500.0, 1000, 2000, 4000, 8000], [4.1, 7.6, 15.3, 29.9, 61.0]), ([0.0, 0.0, 1.0, 1.0], [1.0, 2.0, 3.0, 5.0]),
                 ([1e6 + v for v in normals(91, 12, 50, 20)], normals(92, 12, 5, 1))):
        for level in (0.9, 0.95):
            affine = OLS(y, np.column_stack([np.ones(len(x)), x])).fit(method="qr")
            origin = OLS(y, np.array(x)).fit(method="qr")
            rows.append({"x": x, "y": y, "level": level,
                         "line": {"intercept": float(affine.params[0]), "slope": float(affine.params[1]), "interval": [float(v) for v in affine.conf_int(1 - level)[1]], "residual": math.sqrt(affine.scale)},
                         "origin": {"slope": float(origin.params[0]), "interval": [float(v) for v in origin.conf_int(1 - level)[0]], "residual": math.sqrt(origin.scale)}})
    return rows


def queues():
    """Nothing of Erlang or Pollaczek: stationary distributions of the chains themselves, state by state."""
    loss, waiting, general = [], [], []
    for servers, load in ((1, 0.5), (5, 3.0), (10, 12.0), (100, 85.0), (500, 500.0)):
        weights = [math.exp(k * math.log(load) - math.lgamma(k + 1) - load) for k in range(servers + 1)]
        loss.append({"servers": servers, "erlangs": load, "blocked": weights[-1] / math.fsum(weights)})
    for rate, service, servers in ((0.5, 1.0, 1), (8.0, 0.1, 1), (3.0, 1.0, 4), (95.0, 0.01, 1), (180.0, 0.1, 20)):
        weights, weight, k = [], 1.0, 0
        while weight > 1e-25 or k <= servers:
            weights.append(weight)
            k += 1
            weight *= rate * service / min(k, servers)
        total = math.fsum(weights)
        present = math.fsum(k * w for k, w in enumerate(weights)) / total
        queued = math.fsum(max(0, k - servers) * w for k, w in enumerate(weights)) / total
        waiting.append({"rate": rate, "service": service, "servers": servers, "waitProbability": math.fsum(weights[servers:]) / total, "present": present, "waiting": queued, "wait": queued / rate, "time": present / rate})
    for rate, service, variation in ((0.7, 1.0, 0.0), (0.7, 1.0, 1.0), (50.0, 0.016, 0.0), (0.6, 1.0, math.sqrt(2.0))):
        # Arrivals during one service: Poisson for constant service, geometric for exponential, a mixture of two for the more variable one.
        count = 600
        if variation == 0:
            arrivals = [math.exp(k * math.log(rate * service) - math.lgamma(k + 1) - rate * service) for k in range(count)]
        else:
            share = 0.5 * (1 + math.sqrt((variation ** 2 - 1) / (variation ** 2 + 1)))
            phases = [(share, service / (2 * share)), (1 - share, service / (2 * (1 - share)))]
            arrivals = [math.fsum(weight / (1 + rate * mean) * (rate * mean / (1 + rate * mean)) ** k for weight, mean in phases) for k in range(count)]
        chain = [1 - rate * service]
        for k in range(count - 1):
            chain.append((chain[k] - chain[0] * arrivals[k] - math.fsum(chain[i] * arrivals[k - i + 1] for i in range(1, k + 1))) / arrivals[0])
            if chain[-1] < 1e-13:
                break
        # What a departing one leaves behind is what an outside observer sees (PASTA).
        general.append({"rate": rate, "service": service, "variation": variation, "present": math.fsum(k * p for k, p in enumerate(chain))})
    return {"loss": loss, "waiting": waiting, "general": general}


def trends():
    rows = []
    for values in (normals(101, 10), [round(0.05 * i + e, 6) for i, e in enumerate(normals(102, 60))], [float(round(x)) for x in normals(103, 50, 5, 1.5)], [4.0] * 12,
                   list(np.round(np.cumsum(normals(104, 60)), 6)), [float(i) for i in range(20)], [float(-i) for i in range(11)]):
        values = [float(v) for v in values]
        n = len(values)
        s = int(sum(np.sign(b - a) for a, b in itertools.combinations(values, 2)))
        slope = float(stats.theilslopes(values, np.arange(n))[0])
        if len(set(values)) == 1:
            rows.append({"values": values, "s": s, "slope": slope, "p": 1.0, "growth": 1.0})
            continue
        if s == 0:
            raise SystemExit("a series with S = 0 does not give its variance away; choose another")
        # scipy's tau has the variance for ties in its p value, without correction for continuity.
        order = np.arange(n)
        z = stats.norm.isf(stats.kendalltau(order, values, method="asymptotic").pvalue / 2)
        variance = (s / z) ** 2
        left = np.array(values) - slope * order
        plain = acf(left, nlags=1, fft=False)[1] if np.ptp(left) > 1e-9 else 0.0
        rho = min((n * plain + 1) / (n - 3), 0.99) if np.ptp(left) > 1e-9 else 0.0
        factor = 1 + 2 * sum((1 - k / n) * rho ** k for k in range(1, n)) if rho > 0 else 1.0
        rows.append({"values": values, "s": s, "slope": slope, "p": float(2 * stats.norm.sf((abs(s) - 1) / math.sqrt(variance))),
                     "growth": float(stats.norm.sf((s - np.sign(s)) / math.sqrt(variance * factor)))})
    return rows


def ecdfs():
    rows = []
    for values in ([5.0], exponentials(111, 25, 3), [1.0, 1.0, 2.0, 2.0, 2.0, 7.0]):
        at = sorted(set(values))
        for level in (0.9, 0.95):
            # statsmodels takes the count from the length, so the band is made over all values and read off at the last of equals.
            staircase = ECDF(values)
            sorted_values = np.sort(values)
            low, high = _conf_set(staircase(sorted_values), alpha=1 - level)
            last = [int(np.searchsorted(sorted_values, v, side="right")) - 1 for v in at]
            rows.append({"sample": values, "level": level, "values": at, "share": [float(staircase(v)) for v in at], "low": [float(low[i]) for i in last], "high": [float(high[i]) for i in last]})
    return rows


def lines_of(value, depth):
    """JSON with one row a line, so that a difference can be read."""
    if depth > 0 and isinstance(value, dict):
        return "{" + ",\n".join(json.dumps(key) + ": " + lines_of(inner, depth - 1) for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[\n" + ",\n".join(json.dumps(row) for row in value) + "]"
    return json.dumps(value)


reference = {
    "versions": {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__, "statsmodels": statsmodels.__version__},
    "distributions": distributions(), "proportions": proportions(), "students": students(), "quantiles": quantiles(), "bootstraps": bootstraps(), "rankTests": rank_tests(),
    "holms": holms(), "warmUps": warm_ups(), "changePoints": change_points(), "scalability": scalability(), "lines": lines(), "queues": queues(), "trends": trends(), "ecdfs": ecdfs(),
}
print(lines_of(reference, 2))
