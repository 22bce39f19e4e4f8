"""What a server and everything it started has used, from /proc."""
import os
import time

TICKS = os.sysconf("SC_CLK_TCK")


def tree(root):
    """{pid: ticks of the process and of its children that ended}, of the root and all below it."""
    seen = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:
                    fields = file.read().rpartition(")")[2].split()
            except OSError:
                continue
            seen[int(entry)] = (int(fields[1]), sum(map(int, fields[11:15])))
    below = {}
    for pid, (parent, _) in seen.items():
        below.setdefault(parent, []).append(pid)
    result, todo = {}, [root]
    while todo:
        pid = todo.pop()
        if pid in seen:
            result[pid] = seen[pid][1]
            todo += below.get(pid, [])
    return result


def cpu_seconds(root):
    return sum(tree(root).values()) / TICKS


def settled_cpu_seconds(root, quiet=0.1, patience=3.0):
    """Once nothing is used for a moment: what a command left to do after its answer counts too."""
    deadline = time.monotonic() + patience
    last = cpu_seconds(root)
    while time.monotonic() < deadline:
        time.sleep(quiet)
        now = cpu_seconds(root)
        if now - last < 0.011:
            return now
        last = now
    return last


def wait_until_quiet(root, patience=1200.0):
    """Until a server has done what it does in the background: for some seconds it uses next to nothing."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        last = cpu_seconds(root)
        time.sleep(3)
        if cpu_seconds(root) - last < 0.1:
            return


def pss_kilobytes(root):
    """Proportional set size: a page that several processes share is counted once."""
    total = 0
    for pid in tree(root):
        try:
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                total += next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
        except (OSError, StopIteration):
            continue
    return total


def memory_gigabytes():
    with open("/proc/meminfo", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("MemTotal")) / 2 ** 20


def processor_name():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        return next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), "unknown processor")
