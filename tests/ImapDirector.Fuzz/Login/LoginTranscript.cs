using System.Buffers;
using System.Text;
using ImapDirector.Protocol.Imap;
using ImapDirector.Protocol.Proxy;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Fuzz.Login;

/// <summary>How a dialogue was left.</summary>
internal enum DialogueEnd
{
    Over,
    LoggedIn,
    TlsBegun,
}

/// <summary>Holds what a director has answered against what it was sent: each command has one answer with its tag, in their order, and nothing else is said.</summary>
internal static class LoginTranscript
{
    public const string TlsBegun = "Begin TLS negotiation now.\r\n";

    private const int MostLineBytes = 8 * 1024 + 256;

    /// <summary>Follows the commands that came and the lines that answered.</summary>
    /// <param name="answers">All that came back, Latin-1.</param>
    /// <param name="sent">All that was sent.</param>
    /// <param name="isProxy">Whether it begins with a PROXY header.</param>
    /// <param name="isGreeted">Whether a greeting was before it.</param>
    /// <returns>How it ended, and how many bytes had been used by then.</returns>
    public static (DialogueEnd End, int Used) Follow(string answers, byte[] sent, bool isProxy = false, bool isGreeted = false)
    {
        var input = new CutPipeReader(sent);
        if (isProxy && Fuzzing.Completed(ProxyHeader.ReadAsync(input, default)) is null)
        {
            Assert.Equal("", answers);
            return (DialogueEnd.Over, sent.Length);
        }
        var lines = Lines(answers);
        if (!isGreeted) Assert.StartsWith("* OK [CAPABILITY IMAP4rev1 ", lines.Dequeue());
        var end = Follow(lines, input);
        Assert.True(lines.Count == 0, $"nobody has asked for: {string.Join(" / ", lines)}");
        return (end, (int)input.BytesConsumed);
    }

    private static DialogueEnd Follow(Queue<string> lines, CutPipeReader input)
    {
        var asked = 0;
        var reader = new ImapCommandReader(input, CommandLimits.BeforeLogin, _ =>
        {
            asked++;
            return ValueTask.CompletedTask;
        });
        while (true)
        {
            var frame = Fuzzing.Completed(reader.ReadAsync(default));
            for (; asked > 0; asked--) Assert.Equal("+ OK", Next(lines, frame));
            if (frame.Kind == FrameKind.EndOfStream) return DialogueEnd.Over;
            // Copied: what the reader shows is gone with the next read.
            var command = Encoding.Latin1.GetString(frame.Bytes);
            while (lines.TryPeek(out var challenge) && challenge.StartsWith("+ ", StringComparison.Ordinal))
            {
                Assert.True(Convert.TryFromBase64String(lines.Dequeue()[2..], new byte[4096], out _), "a challenge is in base64");
                if (Fuzzing.Completed(reader.ReadLineAsync(default)).Kind == FrameKind.EndOfStream) return DialogueEnd.Over;
            }
            if (lines.TryPeek(out var untagged) && (untagged.StartsWith("* CAPABILITY ", StringComparison.Ordinal) || untagged.StartsWith("* ID ", StringComparison.Ordinal))) lines.Dequeue();
            var answer = Next(lines, frame);
            if (IsBye(answer))
            {
                if (lines.TryDequeue(out var farewell)) Assert.True(IsTagged(farewell, command, frame, "OK"), $"{farewell} answers {command}");
                return DialogueEnd.Over;
            }
            Assert.True(answer.StartsWith("* BAD ", StringComparison.Ordinal) || IsTagged(answer, command, frame, "OK", "NO", "BAD"), $"{answer} answers {command}");
            if (answer.EndsWith(" Logged in.", StringComparison.Ordinal)) return DialogueEnd.LoggedIn;
            if (answer.EndsWith(" " + TlsBegun.TrimEnd(), StringComparison.Ordinal)) return DialogueEnd.TlsBegun;
            // The last of what was allowed: nothing more is read.
            if (lines.Count == 1 && IsBye(lines.Peek()) && !IsTagged(answer, command, frame, "OK"))
            {
                lines.Dequeue();
                return DialogueEnd.Over;
            }
        }
    }

    private static Queue<string> Lines(string answers)
    {
        Assert.All(answers, static letter => Assert.True(letter is >= ' ' and <= '~' or '\r' or '\n', "answers are printable ASCII"));
        if (answers.Length == 0) return [];
        Assert.EndsWith("\r\n", answers);
        var lines = answers[..^2].Split("\r\n");
        Assert.All(lines, static line =>
        {
            Assert.Equal(-1, line.AsSpan().IndexOfAny('\r', '\n'));
            Assert.InRange(line.Length, 1, MostLineBytes);
        });
        return new Queue<string>(lines);
    }

    private static string Next(Queue<string> lines, CommandFrame frame) =>
        lines.TryDequeue(out var line) ? line : throw new InvalidOperationException($"{frame.Kind} {Encoding.Latin1.GetString(frame.Bytes)} has no answer");

    private static bool IsBye(string line) => line.StartsWith("* BYE ", StringComparison.Ordinal);

    private static bool IsTagged(string line, string command, CommandFrame frame, params ReadOnlySpan<string> words)
    {
        var space = line.IndexOf(' ', StringComparison.Ordinal);
        var tag = line[..space];
        // What was too long to be kept has left its tag.
        if (frame.Kind == FrameKind.Command ? !command.StartsWith(tag, StringComparison.Ordinal) || char.IsAsciiLetterOrDigit(command[tag.Length]) : frame.Tag != tag) return false;
        foreach (var word in words)
            if (line.AsSpan(space + 1).StartsWith(word + " ")) return true;
        return false;
    }
}
