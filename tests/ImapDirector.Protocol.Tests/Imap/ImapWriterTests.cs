using System.Buffers;
using System.Text;
using CsCheck;
using ImapDirector.Protocol.Imap;
using Xunit;

namespace ImapDirector.Protocol.Tests.Imap;

public sealed class ImapWriterTests
{
    private static string Write(Action<ArrayBufferWriter<byte>> write)
    {
        var output = new ArrayBufferWriter<byte>();
        write(output);
        return Encoding.Latin1.GetString(output.WrittenSpan);
    }

    [Theory]
    [InlineData("", "\"\"")]
    [InlineData("plain", "\"plain\"")]
    [InlineData("a \"b\" \\c", "\"a \\\"b\\\" \\\\c\"")]
    [InlineData("two\r\nlines", "{10}\r\ntwo\r\nlines")]
    [InlineData("nul\0here", "{8}\r\nnul?here")]
    [InlineData("\u00e9", "{1}\r\n\u00e9")]
    public void A_string_is_quoted_where_it_may_be_and_a_literal_otherwise(string value, string written) =>
        Assert.Equal(written, Write(o => o.String(Encoding.Latin1.GetBytes(value))));

    [Fact]
    public void A_long_string_is_a_literal() =>
        Assert.StartsWith("{1025}\r\n", Write(o => o.String(new string('x', 1025).Select(c => (byte)c).ToArray())));

    [Theory]
    [InlineData(null, "NIL")]
    [InlineData("NIL", "\"NIL\"")]
    [InlineData("\u20ac", "{3}\r\n\u00e2\u0082\u00ac")]
    public void A_missing_string_is_NIL(string? value, string written) => Assert.Equal(written, Write(o => o.NString(value)));

    [Theory]
    [InlineData("", "\"\"")]
    [InlineData("Sent", "Sent")]
    [InlineData("nil", "\"nil\"")]
    [InlineData("two words", "\"two words\"")]
    [InlineData("a*", "\"a*\"")]
    public void An_astring_is_an_atom_where_it_may_be(string value, string written) =>
        Assert.Equal(written, Write(o => o.AString(Encoding.ASCII.GetBytes(value))));

    [Theory]
    [InlineData("INBOX", false, "INBOX")]
    [InlineData("Entw\u00fcrfe", false, "Entw&APw-rfe")]
    [InlineData("R&D", false, "R&-D")]
    [InlineData("Entw\u00fcrfe", true, "\"Entw\u00c3\u00bcrfe\"")]
    [InlineData("R&D", true, "R&D")]
    public void A_mailbox_is_written_as_the_session_reads_names(string name, bool utf8, string written) =>
        Assert.Equal(written, Write(o => o.Mailbox(new MailboxName(name), utf8)));

    [Theory]
    [InlineData(SystemFlags.None, "", false, "()")]
    [InlineData(SystemFlags.Seen | SystemFlags.Answered, "$Forwarded", true, @"(\Answered \Seen \Recent $Forwarded)")]
    [InlineData(SystemFlags.None, "bad)keyword", false, "(bad?keyword)")]
    public void Flags_are_a_list_of_atoms(SystemFlags system, string keyword, bool recent, string written) =>
        Assert.Equal(written, Write(o => o.Flags(system, [keyword], recent)));

    [Theory]
    [InlineData("1996-07-17T02:44:25-07:00", "\"17-Jul-1996 02:44:25 -0700\"")]
    [InlineData("2026-01-02T23:59:59+05:30", "\" 2-Jan-2026 23:59:59 +0530\"")]
    [InlineData("0999-12-31T00:00:00Z", "\"31-Dec-0999 00:00:00 +0000\"")]
    public void A_date_has_its_day_padded_by_a_space(string date, string written) =>
        Assert.Equal(written, Write(o => o.DateTime(DateTimeOffset.Parse(date))));

    [Theory]
    [InlineData(new uint[] { }, "")]
    [InlineData(new uint[] { 7 }, "7")]
    [InlineData(new uint[] { 1, 2, 3, 7, 9, 10 }, "1:3,7,9:10")]
    [InlineData(new uint[] { 5, 5, 6 }, "5:6")]
    [InlineData(new uint[] { uint.MaxValue - 1, uint.MaxValue }, "4294967294:4294967295")]
    public void Runs_of_numbers_become_ranges(uint[] numbers, string written) => Assert.Equal(written, Write(o => o.SequenceSet(numbers)));

    [Theory]
    [InlineData("a1", ImapStatus.Ok, "", "Done", "a1 OK Done\r\n")]
    [InlineData("*", ImapStatus.Bye, "UNAVAILABLE", "Later", "* BYE [UNAVAILABLE] Later\r\n")]
    [InlineData("a1", ImapStatus.No, "", "", "a1 NO NO\r\n")]
    [InlineData("a1", ImapStatus.Bad, "", "[ALERT] x", "a1 BAD (ALERT] x\r\n")]
    [InlineData("a\r\n*", ImapStatus.Bad, "X\r\nY", "x\r\n* BYE \u00e9\0", "a??* BAD [X??Y] x??* BYE ??\r\n")]
    public void A_status_is_one_line_whatever_its_parts_hold(string tag, ImapStatus status, string code, string text, string written) =>
        Assert.Equal(written, Write(o => o.Status(tag, status, code, text)));

    [Fact]
    public void No_value_puts_a_line_end_or_a_NUL_outside_a_literals_counted_bytes() =>
        Gen.Select(Gen.Byte.Array[0, 40], Gen.Int[0, 4]).Sample((bytes, kind) =>
        {
            var text = Encoding.Latin1.GetString(bytes);
            var written = Write(o =>
            {
                switch (kind)
                {
                    case 0: o.String(bytes); break;
                    case 1: o.AString(bytes); break;
                    case 2: o.NString(text); break;
                    case 3: o.Mailbox(new MailboxName(text), utf8: bytes.Length % 2 == 0); break;
                    default: o.Flags(SystemFlags.Seen, [text], recent: false); break;
                }
            });
            Assert.DoesNotContain('\0', written);
            if (written.StartsWith('{'))
            {
                var header = written.IndexOf("}\r\n", StringComparison.Ordinal);
                Assert.Equal(written.Length - header - 3, int.Parse(written[1..header]));
            }
            else
            {
                Assert.DoesNotContain('\r', written);
                Assert.DoesNotContain('\n', written);
            }
        });
}
