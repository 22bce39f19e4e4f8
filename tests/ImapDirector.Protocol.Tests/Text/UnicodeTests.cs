using System.Diagnostics;
using System.Globalization;
using System.Text;
using ImapDirector.Protocol.Imap;
using ImapDirector.Protocol.Text;
using Xunit;

namespace ImapDirector.Protocol.Tests.Text;

/// <summary>Normalisation form C and i;unicode-casemap.</summary>
public sealed class UnicodeTests
{
    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("u\u0308", "\u00fc")]
    [InlineData("\u00fc", "\u00fc")]
    // Marks are put in their order before they are joined; one that stands between blocks.
    [InlineData("a\u0323\u0302", "\u1ead")]
    [InlineData("a\u0302\u0323", "\u1ead")]
    [InlineData("a\u0306\u0302", "\u0103\u0302")]
    [InlineData("a\u0338\u0338\u0301", "\u00e1\u0338\u0338")]
    [InlineData("\u212b", "\u00c5")]
    [InlineData("\u2126", "\u03a9")]
    // An exclusion stays apart; what only looks different stays as it is.
    [InlineData("\u0958", "\u0915\u093c")]
    [InlineData("\ufb01", "\ufb01")]
    [InlineData("\u1112\u1161\u11ab\u1100\u116e\u11a8", "\ud55c\uad6d")]
    [InlineData("\ud558\u11ab", "\ud55c")]
    [InlineData("\ud55c\u11ab", "\ud55c\u11ab")]
    [InlineData("\ud834\udd5e", "\ud834\udd57\ud834\udd65")]
    [InlineData("\u0300a", "\u0300a")]
    [InlineData("", "")]
    public void What_is_the_same_has_one_spelling(string text, string composed)
    {
        Assert.Equal(composed, NetUnicode.Compose(text));
        Assert.Equal(composed, NetUnicode.Compose(composed));
    }

    [Theory]
    [InlineData("Stra\u00dfe", "STRA\u00dfE")]
    [InlineData("caf\u00e9", "CAFE\u0301")]
    [InlineData("cafe\u0301", "CAFE\u0301")]
    [InlineData("\ufb01n", "FIN")]
    [InlineData("\u01c6", "DZ\u030c")]
    [InlineData("\uff21\uff42", "AB")]
    [InlineData("\ud55c", "\u1112\u1161\u11ab")]
    [InlineData("\u00b5\u017f", "\u039cS")]
    [InlineData("\ud801\udc28", "\ud801\udc00")]
    [InlineData("\ud835\udc1a\ud83d\ude00", "A\ud83d\ude00")]
    public void What_looks_alike_folds_alike(string text, string folded)
    {
        Assert.Equal(folded, CaseMap.Fold(text));
        Assert.Equal(folded, CaseMap.Fold(folded));
    }

    [Theory]
    [InlineData("abc", 3, "ABC", true)]
    [InlineData("abcd", 3, "ABC", false)]
    [InlineData("\ufdfa", 18, "\u0635\u0644\u0649 \u0627\u0644\u0644\u0647 \u0639\u0644\u064a\u0647 \u0648\u0633\u0644\u0645", true)]
    [InlineData("\ufdfa", 4, "\u0635\u0644\u0649 ", false)]
    [InlineData("", 0, "", true)]
    [InlineData("a", 0, "", false)]
    public void A_text_is_folded_as_far_as_there_is_room(string text, int room, string folded, bool isWhole)
    {
        Assert.Equal(folded, CaseMap.Fold(text, room, out var whole));
        Assert.Equal(isWhole, whole);
    }

    [Fact]
    public void Half_of_a_surrogate_pair_harms_nothing()
    {
        Assert.Equal("\ud800\u00fc", NetUnicode.Compose("\ud800u\u0308"));
        Assert.Equal("A\ufffd", CaseMap.Fold("a\udc00"));
        Assert.Equal("A", CaseMap.Fold("a\ud800"));
    }

    [Fact]
    public void A_composed_text_takes_few_bytes_a_letter()
    {
        var text = new string('\u00fc', 4_000);
        NetUnicode.Compose(text);
        var before = GC.GetAllocatedBytesForCurrentThread();
        NetUnicode.Compose(text);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 24L * text.Length);
    }

    [Fact]
    public void A_mailbox_has_one_name_however_it_is_spelled()
    {
        Assert.True(MailboxName.TryDecode(Encoding.UTF8.GetBytes("Entwu\u0308rfe/\u212bngstro\u0308m"), utf8: true, out var name));
        Assert.Equal("Entw\u00fcrfe/\u00c5ngstr\u00f6m", name.Value);
    }

    [Fact]
    public async Task Random_texts_are_composed_as_Python_composes_them()
    {
        var random = new Random(20261124);
        int[] decomposable = [.. UnicodeTable.Instance.Decomposable.Order()];
        int[] marks = [0x300, 0x301, 0x302, 0x308, 0x323, 0x327, 0x328, 0x338, 0x345, 0x5b0, 0x93c, 0x3099, 0x1161, 0x11a8, 0x1100, 0xac00, 0xac01, 0x1d165];
        var texts = Enumerable.Range(0, 5000).Select(_ => string.Concat(Enumerable.Range(0, random.Next(1, 12)).Select(_ => char.ConvertFromUtf32(random.Next(4) switch
        {
            0 => decomposable[random.Next(decomposable.Length)],
            1 => random.Next('a', 'z'),
            _ => marks[random.Next(marks.Length)],
        })))).ToArray();
        var start = new ProcessStartInfo("python3") { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add("import sys, unicodedata\nfor line in sys.stdin: print(unicodedata.normalize('NFC', bytes.fromhex(line).decode()).encode().hex())");
        using var python = Process.Start(start)!;
        var answer = python.StandardOutput.ReadToEndAsync();
        foreach (var text in texts) await python.StandardInput.WriteLineAsync(Convert.ToHexString(Encoding.UTF8.GetBytes(text)));
        python.StandardInput.Close();
        var expected = (await answer).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => Encoding.UTF8.GetString(Convert.FromHexString(line))).ToArray();
        Assert.Equal(texts.Length, expected.Length);
        for (var i = 0; i < texts.Length; i++)
            Assert.True(expected[i] == NetUnicode.Compose(texts[i]), string.Join(' ', texts[i].EnumerateRunes().Select(static rune => rune.Value.ToString("X4", CultureInfo.InvariantCulture))));
    }
}
