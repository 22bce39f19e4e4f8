using System.Text;

namespace ImapDirector.Storage.Tests.Differential;

/// <summary>A step of a script.</summary>
/// <param name="Session">Which of the user's sessions.</param>
/// <param name="Text">What it sends, without a tag; characters are bytes.</param>
/// <param name="Difference">The kind of difference that is expected, or <c>null</c>.</param>
internal sealed record DifferentialStep(int Session, string Text, string? Difference);

/// <summary>A conversation with both servers.</summary>
internal sealed record DifferentialScript(string Name, IReadOnlyList<DifferentialStep> Steps)
{
    /// <summary>Reads all scripts: files of blocks that begin with <c>== name</c>.</summary>
    public static List<DifferentialScript> ReadAll()
    {
        var scripts = new List<DifferentialScript>();
        foreach (var file in Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Differential", "Scripts"), "*.txt").Order(StringComparer.Ordinal))
        {
            foreach (var block in ("\n" + File.ReadAllText(file)).Split("\n== ").Skip(1))
            {
                var lines = block.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(line))).ToList();
                scripts.AddRange(Read(lines[0].TrimEnd(' ', '~'), lines[1..].Where(static line => !line.StartsWith('#'))));
            }
        }
        return scripts;
    }

    private static IEnumerable<DifferentialScript> Read(string name, IEnumerable<string> lines)
    {
        var steps = new List<DifferentialStep>();
        var isTable = false;
        foreach (var line in lines)
        {
            if (line.StartsWith("... ", StringComparison.Ordinal)) steps[^1] = steps[^1] with { Text = steps[^1].Text + "\r\n" + line[4..] };
            else if (line == "mail") steps.AddRange(Mail());
            else if (line.StartsWith("A: ", StringComparison.Ordinal)) steps.Add(new(1, DifferentialMessages.Append(line[3..].Replace("plain", "", StringComparison.Ordinal), DifferentialMessages.Plain), null));
            else if (line.StartsWith("? ", StringComparison.Ordinal))
            {
                isTable = true;
                steps.Add(Step(1, line[2..]));
            }
            else if (line.StartsWith("C: ", StringComparison.Ordinal)) steps.Add(Step(1, line[3..]));
            else if (line.Length > 4 && line[0] == 'C' && char.IsAsciiDigit(line[1]) && line[2..4] == ": ") steps.Add(Step(line[1] - '0', line[4..]));
            else throw new InvalidDataException($"{name}: {line}");
        }
        if (!isTable) return [new DifferentialScript(name, steps)];
        return steps.Select(step => new DifferentialScript($"{name}: {step.Text}", [.. Mail(), step with { Session = 2, Text = "EXAMINE INBOX", Difference = null }, step with { Session = 2 }]));
    }

    private static DifferentialStep Step(int session, string text)
    {
        var parts = text.Split(" ~ ");
        return new(session, parts[0], parts.Length > 1 ? parts[1] : null);
    }

    private static IEnumerable<DifferentialStep> Mail() =>
        DifferentialMessages.Mail.Select(static mail => new DifferentialStep(1, DifferentialMessages.Append(mail.Arguments, mail.Message), null)).Append(new(1, "SELECT INBOX", null));
}
