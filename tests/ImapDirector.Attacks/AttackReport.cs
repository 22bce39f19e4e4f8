using System.Globalization;
using System.Text;
using ImapDirector.Attacks.Attackers;
using ImapDirector.Attacks.Target;

namespace ImapDirector.Attacks;

/// <summary>What attacks did, and what they should not have been able to do.</summary>
internal sealed class AttackReport(int seed, TimeSpan time, IReadOnlyList<Attacker> attackers, IReadOnlyList<HonestUser> honest, ResourceWatch memory)
{
    private const int Examples = 5;

    /// <summary>All that should not have happened.</summary>
    public IReadOnlyList<string> Violations => [.. attackers.SelectMany(static one => one.Violations.Select(what => $"{one.Name}: {what}")), .. honest.SelectMany(static one => one.Violations), .. memory.Violations(time)];

    public bool Holds => Violations.Count == 0;

    public override string ToString()
    {
        var text = new StringBuilder();
        Line($"seed {seed}, {time.TotalSeconds:F0} s");
        foreach (var attacker in attackers)
        {
            Line($"{attacker.Name,-20} {attacker.Tries,9} tries {attacker.Violations.Count,6} violations");
            foreach (var what in attacker.Violations.Distinct().Take(Examples)) Line($"    {what}");
        }
        foreach (var user in honest) Line($"{user.Name,-20} {user}");
        foreach (var line in memory.Lines) Line($"{line}");
        foreach (var what in honest.SelectMany(static one => one.Violations).Concat(memory.Violations(time)).Take(Examples)) Line($"    {what}");
        return text.Append(Holds ? "HOLDS" : "DOES NOT HOLD").ToString();

        void Line(FormattableString line) => text.AppendLine(line.ToString(CultureInfo.InvariantCulture));
    }
}
