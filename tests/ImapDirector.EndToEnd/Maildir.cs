using System.Globalization;
using MailKit;

namespace ImapDirector.EndToEnd;

/// <summary>A Maildir of numbered messages, as mbsync keeps it.</summary>
internal sealed class Maildir(string path)
{
    private static readonly string[] FlagLetters = ["", "S", "FS", "RS", "D", "F"];

    /// <summary>Makes one.</summary>
    public static Maildir Create(string path, int messages)
    {
        foreach (var folder in new[] { "cur", "new", "tmp" }) Directory.CreateDirectory(Path.Combine(path, folder));
        for (var number = 0; number < messages; number++)
        {
            var body = string.Concat(Enumerable.Repeat("A line of the message.\n", number % 100 == 0 ? 5000 : 10));
            File.WriteAllText(Path.Combine(path, "cur", $"{1700000000 + number}.{number}.host:2,{FlagLetters[number % FlagLetters.Length]}"),
                $"From: bob@example.org\nTo: {Mail.Alice}\nSubject: {number:D3}\nMessage-ID: <{number}@example.org>\nX-Half: {(number < messages / 2 ? "first" : "second")}\n\n{body}");
        }
        return new Maildir(path);
    }

    /// <summary>The flags as letters of a Maildir, in its order.</summary>
    public static string Letters(MessageFlags flags) => string.Concat(
        new[] { (MessageFlags.Draft, "D"), (MessageFlags.Flagged, "F"), (MessageFlags.Answered, "R"), (MessageFlags.Seen, "S"), (MessageFlags.Deleted, "T") }
            .Where(pair => flags.HasFlag(pair.Item1)).Select(pair => pair.Item2));

    /// <summary>All files with their flags.</summary>
    public List<string> Files() => [.. AllFiles().Select(file => Path.GetRelativePath(path, file)).Order(StringComparer.Ordinal)];

    /// <summary>The flags of each message, by its subject.</summary>
    public SortedDictionary<string, string> Flags()
    {
        var flags = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var file in AllFiles()) flags.Add(SubjectOf(file), file[(file.LastIndexOf(":2,", StringComparison.Ordinal) + 3)..]);
        return flags;
    }

    public void Delete(IEnumerable<int> subjects)
    {
        foreach (var subject in subjects) File.Delete(Find(subject));
    }

    public void Flag(int subject, string letters)
    {
        var file = Find(subject);
        File.Move(file, file[..(file.LastIndexOf(":2,", StringComparison.Ordinal) + 3)] + letters);
    }

    private string Find(int subject) => AllFiles().Single(file => SubjectOf(file) == subject.ToString("D3", CultureInfo.InvariantCulture));

    private IEnumerable<string> AllFiles() => Directory.GetFiles(Path.Combine(path, "cur")).Concat(Directory.GetFiles(Path.Combine(path, "new")));

    private static string SubjectOf(string file) => File.ReadLines(file).First(line => line.StartsWith("Subject: ", StringComparison.Ordinal))[9..];
}
