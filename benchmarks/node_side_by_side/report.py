"""The table, and its place in docs/benchmarks.md between two marks: what is outside them stays."""
BEGIN, END = "<!-- node-side-by-side: begin -->", "<!-- node-side-by-side: end -->"


def number(value):
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}" if abs(value) >= 0.001 else f"{value:.1g}"


def cell(figure, values, name, unit=""):
    if name in values:
        return number(values[name]) + unit
    return figure.missing.get(name, "")


def ratio(values, ours, theirs):
    return f"{values[ours] / values[theirs]:.2f}" if values.get(ours, 0) > 0 and values.get(theirs, 0) > 0 else ""


def rows(figures, ours, theirs, wall_unit, more_is_better=False):
    for figure in figures:
        unit = f" {figure.unit}"
        yield (f"| {figure.name} | {cell(figure, figure.cpu, ours, unit)} | {cell(figure, figure.cpu, theirs, unit)} | {ratio(figure.cpu, ours, theirs)}"
               f" | {cell(figure, figure.wall, ours, wall_unit)} | {cell(figure, figure.wall, theirs, wall_unit)}"
               f" | {ratio(figure.wall, *((theirs, ours) if more_is_better else (ours, theirs)))} |")


def table(head, lines):
    return [head, "|" + " --- |" * (head.count("|") - 1), *lines, ""]


def write(path, facts, commands, loads, memories, ours, theirs):
    lines = [BEGIN, "## The storage node beside Dovecot", "", facts, "",
             "A ratio is the node's figure divided by Dovecot's: below 1.00 the node needs less. CPU is the time of all processes of a server, in user and kernel "
             "mode. Trust CPU before wall: servers, client and whatever else the machine does share its cores.", "",
             *table("| on one large mailbox | CPU node | CPU Dovecot | ratio | wall node | wall Dovecot | ratio |", rows(commands, ours, theirs, " s")),
             *table("| many at once | CPU node | CPU Dovecot | ratio | node per second | Dovecot per second | Dovecot's / the node's |",
                    rows(loads, ours, theirs, "", more_is_better=True)),
             *table("| memory (PSS) added by | node | Dovecot | ratio | all of node | all of Dovecot | ratio |", rows(memories, ours, theirs, " MB")), END]
    text = "\n".join(line.rstrip() for line in lines) + "\n"
    old = path.read_text(encoding="utf-8") if path.exists() else "# Benchmarks\n\nWhat was measured, on what. How to run it: [benchmarks/](../benchmarks).\n\n"
    before, mark, rest = old.partition(BEGIN)
    path.write_text(before + text + (rest.partition(END)[2].lstrip("\n") if mark else ""), encoding="utf-8")
    return text
