"""The tables and the picture, and their place in docs/benchmarks.md between two marks: what is outside them stays."""
import html

BEGIN, END = "<!-- side-by-side: begin -->", "<!-- side-by-side: end -->"
COLOURS = ("#1f6feb", "#7a8699", "#a9b4c2", "#d0d7de")


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def ratio(values, ours):
    """To the best of the others, where there are any."""
    others = [value for name, value in values.items() if name != ours]
    return f"{values[ours] / min(others):.2f}" if others else ""


def line(cells):
    return "| " + " | ".join(cells) + " |"


def table(rows, ours):
    if not rows:
        return []
    names = list(rows[0].cpu)
    lines = [line(["work", "unit", *names, "to the best other"]), line(["---"] * (len(names) + 3))]
    for row in rows:
        lines.append(line([row.name, row.unit, *(number(row.cpu[name]) for name in names), ratio(row.cpu, ours)]))
    return [*lines, ""]


def latencies(rows):
    if not rows:
        return []
    names = list(rows[0].cpu)
    lines = [line(["work, ms: median / 99 of 100", *names]), line(["---"] * (len(names) + 1))]
    for row in rows:
        lines.append(line([row.name, *(f"{row.p50[name] / 1e3:.2f} / {row.p99[name] / 1e3:.2f}" for name in names)]))
    return [*lines, ""]


def idles(rows, ours):
    if not rows:
        return []
    names = list(rows[0].memory)
    lines = [line(["idle sessions", *(f"{name}, KB each" for name in names), "to the best other", *(f"{name}, CPU ms/s" for name in names)]), line(["---"] * (2 * len(names) + 2))]
    for row in rows:
        lines.append(line([f"{row.sessions:,}{', TLS' if row.tls else ''}", *(number(row.memory[name]) for name in names),
                           ratio(row.memory, ours), *(f"{row.cpu[name]:.1f}" for name in names)]))
    return [*lines, ""]


def scale(rows):
    lines = []
    for title, unit, columns in rows:
        if not columns:
            continue
        lines += [line([title, *map(str, columns)]), line(["---"] * (len(columns) + 1)), line([unit, *map(number, columns.values())]), ""]
    return lines


def enumeration(names):
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def write(path, others, facts, rows, idle_rows, scale_rows, ours):
    text = "\n".join([BEGIN, f"## The director beside {enumeration(others)}", "", facts, "", "![Processor time of the same work](side-by-side.svg)", "",
                      "Processor time of the proxy, user and kernel mode, for each operation or GB. Below 1.00 in the last column ImapDirector needs least.", "",
                      *table(rows, ours), *latencies(rows), *idles(idle_rows, ours), *scale(scale_rows), END]) + "\n"
    old = path.read_text(encoding="utf-8")
    before, mark, rest = old.partition(BEGIN)
    path.write_text((before if mark else before.rstrip("\n") + "\n\n") + text + rest.partition(END)[2].removeprefix("\n"), encoding="utf-8")
    if rows:
        (path.parent / "side-by-side.svg").write_text(picture(rows, idle_rows), encoding="utf-8")
    return text


def picture(rows, idle_rows):
    """Bars, as long as each proxy's figure is of the largest in its row."""
    groups = [(f"{row.name}, {row.unit}", row.cpu) for row in rows] + [(f"{row.sessions:,} idle sessions{', TLS' if row.tls else ''}, KB each", row.memory) for row in idle_rows]
    names, bar, left, right = list(groups[0][1]), 9, 260, 420
    group = bar * len(names) + 10
    height = 40 + group * len(groups)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right + 90}" height="{height}" font-family="sans-serif" font-size="11">',
             f'<rect width="100%" height="{height}" fill="#ffffff"/>']
    for i, name in enumerate(names):
        parts.append(f'<rect x="{left + i * 110}" y="10" width="10" height="10" fill="{COLOURS[i]}"/><text x="{left + 15 + i * 110}" y="19">{html.escape(name)}</text>')
    for at, (title, values) in enumerate(groups):
        top, most = 34 + at * group, max(values.values())
        parts.append(f'<text x="{left - 8}" y="{top + group / 2}" text-anchor="end">{html.escape(title)}</text>')
        for i, name in enumerate(names):
            width = max(1, right * max(values[name], 0) / most)
            parts.append(f'<rect x="{left}" y="{top + i * bar}" width="{width:.0f}" height="{bar - 1}" fill="{COLOURS[i]}"/>'
                         f'<text x="{left + width + 4:.0f}" y="{top + i * bar + 8}" font-size="9">{number(max(values[name], 0))}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
