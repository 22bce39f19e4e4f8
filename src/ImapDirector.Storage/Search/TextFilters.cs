using ImapDirector.Storage.Mailboxes;

namespace ImapDirector.Storage.Search;

/// <summary>What the text index leaves of a mailbox for the texts of one search. To ask it takes time and memory for each of them, so few of many are asked
/// about, and none when the search's time is over (limits N12).</summary>
/// <param name="mail">Whose.</param>
/// <param name="mailboxId">The mailbox.</param>
/// <param name="count">How many messages are in it.</param>
/// <param name="deadline">Ends the search.</param>
internal sealed class TextFilters(UserMail mail, long mailboxId, int count, CancellationToken deadline)
{
    /// <summary>Texts that are asked about; each of the others is looked for in every message that these leave.</summary>
    public const int Most = 16;

    private List<long>? _notIndexed;
    private int _asked;

    /// <returns><c>null</c> when nothing is left out for this text.</returns>
    /// <exception cref="OperationCanceledException">The search's time is over.</exception>
    public TextFilter? Of(string text)
    {
        deadline.ThrowIfCancellationRequested();
        if (count < TextIndexing.WorthIt || ++_asked > Most) return null;
        return TextFilter.Of(text, mail.Store, _notIndexed ??= NotIndexed(), deadline);
    }

    /// <summary>What the text index does not know yet; it is brought up to date where that is much.</summary>
    private List<long> NotIndexed()
    {
        var missing = mail.Store.MissingTexts(mailboxId, int.MaxValue, deadline);
        if (missing.Count >= TextIndexing.WorthIt) mail.TextIndexing.Want(mailboxId);
        return missing;
    }
}
