using ImapDirector.Protocol.Lmtp;
using Xunit;

namespace ImapDirector.Protocol.Tests.Lmtp;

/// <summary>CVE-2023-51764 (Postfix), -51765 (sendmail), -51766 (Exim), CVE-2026-33604 (Dovecot) and GHSA-p5q9-86w4-2xr5 (James): a message holds something
/// that one server takes for its end and the next one does not, and what follows becomes a second message that nobody checked.</summary>
public sealed class SmtpSmugglingTests
{
    private const string Smuggled = "MAIL FROM:<admin@example.com>\r\nRCPT TO:<victim@example.com>\r\nDATA\r\nSubject: forged\r\n\r\nforged\r\n.\r\n";

    private static readonly string[] LineEnds = ["\n", "\r", "\r\n", "\r\r\n", "\n\r", "\r\n\r", "\0\r\n", "\r\0\n", "\u0085", "\v", "\f", ""];

    public static TheoryData<string, string> FalseEnds
    {
        get
        {
            var ends = new TheoryData<string, string>();
            foreach (var before in LineEnds)
                foreach (var after in LineEnds)
                    // Wherever these hold a CRLF on either side of the dot, it is the true end.
                    if (!$"{before}.{after}".Contains("\r\n.\r\n", StringComparison.Ordinal)) ends.Add(before, after);
            return ends;
        }
    }

    [Theory]
    [MemberData(nameof(FalseEnds))]
    public void What_only_looks_like_the_end_is_not_the_end(string before, string after)
    {
        var wire = $"Subject: innocent\r\n\r\ninnocent{before}.{after}{Smuggled}";
        for (var cut = 1; cut <= 9; cut++)
        {
            var read = MessageReading.Of(wire + "QUIT\r\n", cut);
            Assert.Equal("QUIT\r\n", read.Rest);
            Assert.Contains("RCPT TO:<victim@example.com>", read.Message, StringComparison.Ordinal);
            Assert.NotEqual(LmtpDataEnd.EndOfStream, read.End);
            if ($"{before}.{after}".Replace("\r\n", "", StringComparison.Ordinal).AsSpan().ContainsAny('\r', '\n'))
                Assert.Equal(LmtpDataEnd.BareLineEnd, read.End);
        }
    }

    [Theory]
    [MemberData(nameof(FalseEnds))]
    public void What_looks_like_the_end_to_somebody_is_passed_on_so_that_the_next_server_sees_one_message(string before, string after)
    {
        var message = $"innocent{before}.{after}{Smuggled}";
        var wire = MessageReading.Stuffed(message);
        Assert.Equal(wire.Length - 5, wire.IndexOf("\r\n.\r\n", StringComparison.Ordinal));
        Assert.Equal((message, ""), (MessageReading.Of(wire).Message, MessageReading.Of(wire).Rest));
    }
}
