using CsCheck;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Store;
using Xunit;

namespace ImapDirector.Storage.Tests.Store;

/// <summary>What a mailbox in memory keeps of its messages' keywords.</summary>
public sealed class KeywordSetsTests
{
    private static MessageRecord Message(uint uid, IEnumerable<string> keywords) =>
        new(uid, 1, SystemFlags.None, [.. keywords], DateTimeOffset.UnixEpoch, 100, uid) { SavedSeconds = 0 };

    [Fact]
    public void A_combination_that_no_message_has_any_more_is_forgotten()
    {
        var list = MessageList.Of([Message(1, []), Message(2, ["a"])]);
        // A client can make a new one with each command, for ever.
        for (var i = 1; i < 1000; i++) list[0] = Message(1, Enumerable.Range(0, 10).Where(bit => (i >> bit & 1) != 0).Select(static bit => $"k{bit}"));
        Assert.Equal([["a"], ["k0", "k1", "k2", "k5", "k6", "k7", "k8", "k9"]], list.KeywordLists.Select(static words => words.ToArray()).OrderBy(static words => words.Length));
        list.Remove([1], static _ => { });
        Assert.Equal([["a"]], list.KeywordLists.Select(static words => words.ToArray()));
    }

    [Fact]
    public void Each_message_has_the_keywords_it_was_given_last_whatever_others_had() =>
        Gen.Select(Gen.Int[0, 4], Gen.String[Gen.Char["abc"], 0, 4]).List[0, 60].Sample(static changes =>
        {
            var list = MessageList.Of(Enumerable.Range(1, 5).Select(static uid => Message((uint)uid, [])));
            var model = new string[] { "", "", "", "", "" };
            foreach (var (index, letters) in changes)
            {
                model[index] = letters;
                list[index] = Message((uint)index + 1, letters.Select(static letter => letter.ToString()));
            }
            Assert.Equal(model, list.Select(static message => string.Concat(message.Keywords)));
            Assert.Equal(model.Where(static letters => letters.Length > 0).Distinct().Order(), list.KeywordLists.Select(static words => string.Concat(words)).Order());
        });

    [Fact]
    public void A_combination_read_as_a_text_is_the_one_that_was_given_as_words()
    {
        var sets = new KeywordSets();
        var set = sets.Add(["a", "b"]);
        Assert.Equal(set, sets.Add("a b"));
        Assert.Equal(set, sets.Add("a b"));
        for (var left = 3; left > 0; left--)
        {
            Assert.Single(sets.InUse);
            sets.Remove(set);
        }
        Assert.Empty(sets.InUse);
        Assert.Equal(["c"], sets[sets.Add("c")].ToArray());
        Assert.Equal(["a", "b"], sets[sets.Add("a b")].ToArray());
        Assert.Equal(["c"], sets[sets.Add("c")].ToArray());
    }
}
