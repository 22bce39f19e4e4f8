"""The tables, and their place in docs/benchmarks.md between two marks with the mailbox's size: what is outside them stays, other sizes too."""


def number(value):
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def quantity(value, unit):
    """Seconds in the unit that needs no zeros."""
    if unit == "s" and 0 < value < 1:
        value, unit = (value * 1e3, "ms") if value >= 1e-3 else (value * 1e6, "µs")
    return f"{number(value)} {unit}".rstrip()


def cell(figure, values, name, unit=""):
    return quantity(values[name], unit) if name in values else figure.missing.get(name, "")


def ratio(values, ours, theirs):
    return f"{values[ours] / values[theirs]:.2f}" if values.get(ours, 0) > 0 and values.get(theirs, 0) > 0 else ""


def rows(figures, ours, theirs, wall_unit, more_is_better=False):
    for figure in figures:
        unit = figure.unit
        yield (f"| {figure.name} | {cell(figure, figure.cpu, ours, unit)} | {cell(figure, figure.cpu, theirs, unit)} | {ratio(figure.cpu, ours, theirs)}"
               f" | {cell(figure, figure.wall, ours, wall_unit)} | {cell(figure, figure.wall, theirs, wall_unit)}"
               f" | {ratio(figure.wall, *((theirs, ours) if more_is_better else (ours, theirs)))} |")


def table(head, lines):
    lines = list(lines)
    return [head, "|" + " --- |" * (head.count("|") - 1), *lines, ""] if lines else []


def write(path, size, facts, commands, loads, memories, ours, theirs):
    begin, end = (f"<!-- node-side-by-side {size}: {which} -->" for which in ("begin", "end"))
    lines = [begin, f"## The storage node beside Dovecot, {size:,} messages", "", facts, "",
             "A ratio is the node's figure divided by Dovecot's: below 1.00 the node needs less. CPU is the time of all processes of a server, in user and kernel "
             "mode. Trust CPU before wall: servers, client and whatever else the machine does share its cores.", "",
             *table("| on one large mailbox | CPU node | CPU Dovecot | ratio | wall node | wall Dovecot | ratio |", rows(commands, ours, theirs, "s")),
             *table("| many at once | CPU node | CPU Dovecot | ratio | node per second | Dovecot per second | Dovecot's / the node's |",
                    rows(loads, ours, theirs, "", more_is_better=True)),
             *table("| memory (PSS) added by | node | Dovecot | ratio | all of node | all of Dovecot | ratio |", rows(memories, ours, theirs, "MB")), end]
    text = "\n".join(line.rstrip() for line in lines) + "\n"
    old = path.read_text(encoding="utf-8") if path.exists() else "# Benchmarks\n\nWhat was measured, on what. How to run it: [benchmarks/](../benchmarks).\n\n"
    before, mark, rest = old.partition(begin)
    path.write_text((before if mark else before.rstrip("\n") + "\n\n") + text + rest.partition(end)[2].removeprefix("\n"), encoding="utf-8")
    return text
