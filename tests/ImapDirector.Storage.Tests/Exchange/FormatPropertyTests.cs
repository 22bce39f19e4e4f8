using System.Text;
using CsCheck;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Exchange;
using Xunit;

namespace ImapDirector.Storage.Tests.Exchange;

public sealed class FormatPropertyTests
{
    private static readonly string[] Pieces = [".", "..", "\\", "\\2e", "\\5c", "2e", "5C", "/", "&", "-", "&-", "a", "INBOX", "\u00e9", "\u65e5", "\U0001F407", " ", "~", "cur"];

    private static readonly string[] Words = ["1", "3", "0", "V7", "N9", "V", " ", " :", ":", ":2,", "4294967295", "99999999999", "-1", "name", "\t", "", "Gx", "\u0000", "From ", "Sat", "Feb", "30", "29", "25:61:61",
        "23:59:59", "2004", "0000", "9999", "+9999", "-0330", "+", ">", "Status", "X-Keywords", "26", "25"];

    [Fact]
    public void A_folders_name_is_the_mailboxs_alone_and_no_path()
    {
        Gen.Int[0, Pieces.Length - 1].Array[1, 12].Sample(numbers =>
        {
            if (!MailboxName.TryCreate(string.Concat(numbers.Select(static number => Pieces[number])), out var mailbox)) return;
            var folder = FolderName.Of(mailbox, out var isWhole);
            Assert.DoesNotContain(folder, static letter => letter is '/' or '\0' || letter > '~');
            Assert.True(isWhole && FolderName.TryRead(folder, out var read) && read == mailbox, $"{mailbox} → {folder}");
            // With its dot in front it is a name of its own, whatever the mailbox is called.
            Assert.NotEqual("..", "." + folder);
        }, iter: 5000, threads: 1);
    }

    [Fact]
    public void Lists_and_lines_of_any_kind_are_read_or_refused()
    {
        Gen.Int[0, Words.Length - 1].Array[0, 8].Array[0, 5].Sample(lines =>
        {
            string[] texts = [.. lines.Select(static line => string.Concat(line.Select(static word => Words[word])))];
            if (UidList.Read(texts) is { } uids) Assert.True(uids is { UidValidity: > 0, UidNext: > 0 } && uids.Uids.Values.All(uid => uid > 0 && uid < uids.UidNext));
            var flags = MaildirFlags.Read(texts);
            foreach (var text in texts)
            {
                flags.Decode(text);
                FolderName.TryRead(text, out _);
                MboxHeader.IsFromLine(Encoding.Latin1.GetBytes(text), out _);
                MboxHeader.IsFromLine(Encoding.Latin1.GetBytes("From " + string.Join(' ', text.Split('2'))), out _);
                MboxHeader.FieldOf(Encoding.Latin1.GetBytes(text));
            }
        }, iter: 5000, threads: 1);
    }

    [Fact]
    public void Lines_are_the_same_however_the_bytes_come()
    {
        Gen.Select(Gen.OneOf(Gen.Const((byte)'\r'), Gen.Const((byte)'\n'), Gen.Const((byte)'x')).Array[0, 200], Gen.Int[1, 7], Gen.Int[0, 1]).Sample((bytes, step, isLong) =>
        {
            // A line as long as the buffer brings its edge into play.
            byte[] all = [.. bytes, .. isLong == 1 ? Enumerable.Repeat((byte)'y', LinePieces.MaxPieceBytes - 3) : [], .. bytes];
            var written = new MemoryStream();
            var lines = new LinePieces(new SlowStream(all, isLong == 1 ? 10_000 + step : step));
            var begins = true;
            while (lines.MoveNext())
            {
                Assert.Equal(begins, lines.BeginsLine);
                Assert.False(lines.Text.Span.Contains((byte)'\n'));
                written.Write(lines.Text.Span);
                if (lines.EndsLine) written.Write(lines.EndsInCrLf ? "\r\n"u8 : "\n"u8);
                begins = lines.EndsLine;
            }
            Assert.Equal(all, written.ToArray());
            var ends = LineEnds.Count(new SlowStream(all, step * 1000));
            var text = Encoding.Latin1.GetString(all);
            var crLf = text.Split("\r\n").Length - 1;
            Assert.Equal(new LineEnds(all.Length, crLf, text.Count(static letter => letter == '\n') - crLf, text.Count(static letter => letter == '\r') - crLf), ends);
        }, iter: 400, threads: 1);
    }

    /// <summary>Gives a few bytes at a time.</summary>
    private sealed class SlowStream(byte[] bytes, int step) : MemoryStream(bytes)
    {
        public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(count, step));
    }
}
