using System.Text;
using ImapDirector.Protocol.Lmtp;
using ImapDirector.Protocol.Proxy;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Fuzz.Lmtp;

public sealed class LmtpFuzz
{
    private const int Slack = 64 * 1024;

    [Fact]
    public void Every_bent_command_is_answered_and_what_is_accepted_can_be_written_again() =>
        Fuzzing.Run(LmtpCorpus.Commands, rounds: 100_000, (input, _) =>
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var parsed = LmtpCommandParser.TryParse(input, out var command, out var error);
            var cost = GC.GetAllocatedBytesForCurrentThread() - before;

            Assert.True(cost <= 16L * input.Length + Slack, $"{cost} bytes for {input.Length}");
            Assert.Equal(parsed, error == LmtpSyntaxError.None);
            Assert.Equal(parsed, command is not null);
            if (command is RcptCommand rcpt) Assert.DoesNotContain(rcpt.Address, char.IsControl);
            if (command is LhloCommand lhlo) Assert.All(lhlo.Name, static letter => Assert.True(letter is > ' ' and <= '~'));
            if (command is not MailCommand mail) return;
            var again = $"MAIL FROM:<{mail.ReversePath}>{(mail.IsUtf8 ? " SMTPUTF8" : "")}";
            Assert.True(LmtpCommandParser.TryParse(Encoding.UTF8.GetBytes(again), out var same, out LmtpSyntaxError _), again);
            Assert.Equal(mail.ReversePath, Assert.IsType<MailCommand>(same).ReversePath);
        });

    [Fact]
    public void Lines_and_messages_are_read_alike_however_they_are_cut() =>
        Fuzzing.Run(LmtpCorpus.Sessions, rounds: 50_000, (input, random) =>
        {
            var whole = Read(new CutPipeReader(input));
            Assert.Equal(whole, Read(new CutPipeReader(input, random.Next(1, 20), random.Next(1, 5))));
            Assert.Equal(whole, Read(new CutPipeReader(input, 1)));
        });

    [Fact]
    public void A_load_balancer_can_say_what_it_likes() =>
        Fuzzing.Run(LmtpCorpus.ProxyHeaders, rounds: 100_000, (input, random) =>
        {
            var (whole, cut) = (new CutPipeReader(input), new CutPipeReader(input, random.Next(1, 20), random.Next(1, 5)));
            var header = Fuzzing.Completed(ProxyHeader.ReadAsync(whole, default));
            Assert.Equal(header, Fuzzing.Completed(ProxyHeader.ReadAsync(cut, default)));
            if (header is null) return;
            Assert.Equal(whole.BytesConsumed, cut.BytesConsumed);
            Assert.InRange(whole.BytesConsumed, 1, 552);
            Assert.Equal(header.Source is null, header.Destination is null);
        });

    /// <summary>A message, then lines, then a message and so on: all a session could notice.</summary>
    private static string Read(CutPipeReader input)
    {
        var events = new StringBuilder();
        var lines = new LmtpLineReader(input);
        while (true)
        {
            var end = Fuzzing.Completed(LmtpDataReader.CopyAsync(input, (piece, _) =>
            {
                events.Append(Encoding.Latin1.GetString(piece.Span));
                return ValueTask.CompletedTask;
            }, default));
            events.Append(end).Append('|');
            if (end == LmtpDataEnd.EndOfStream) return events.ToString();
            var line = Fuzzing.Completed(lines.ReadAsync(default));
            Assert.True(line.Bytes.Length <= LmtpLineReader.MaxLineBytes, "no more is kept than the limit allows");
            events.Append(line.Kind).Append(Encoding.Latin1.GetString(line.Bytes.Span)).Append('|');
            if (line.Kind == LmtpLineKind.EndOfStream) return events.ToString();
        }
    }
}
