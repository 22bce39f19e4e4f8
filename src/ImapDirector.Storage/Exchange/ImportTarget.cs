using System.Collections.Immutable;
using ImapDirector.Network;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Mailboxes;
using ImapDirector.Storage.Store;
using ImapDirector.Storage.Store.Maintenance;

namespace ImapDirector.Storage.Exchange;

/// <summary>A user's store as imports add to it: within the limits of what a client may add, and with a line for everything that was not.</summary>
internal sealed class ImportTarget(UserStore store, string spoolDirectory, IProgress<int>? progress)
{
    /// <summary>Offsets into a message are 32 bits wide.</summary>
    public const long MaxMessageBytes = 2_000_000_000;

    private readonly List<StoreFinding> _findings = [];
    private readonly KeywordLimit _keywords = new(store);
    private readonly HashSet<long> _full = [];
    private int _mailboxes;
    private int _messages;

    public ExchangeResult Result => new(_mailboxes, _messages, _findings);

    public void Tell(string what, string mend) => _findings.Add(new StoreFinding(StoreFindingKind.Exchange, what, mend));

    /// <summary>A spool for one message.</summary>
    public MessageSpool NewSpool() => new(spoolDirectory, MessageContents.MaxBodyBytesInDatabase);

    /// <summary>Finds or makes a mailbox.</summary>
    /// <returns>Its id.</returns>
    public async Task<long> OpenMailboxAsync(MailboxName name, bool subscribe, CancellationToken cancellationToken)
    {
        await store.MaintainAsync(connection =>
        {
            // However many there are: what was exported comes back.
            var result = MailboxTable.Create(connection, name, specialUse: null);
            if (subscribe) MailboxTable.SetSubscribed(connection, name.Value, subscribed: true);
            return result;
        }, cancellationToken);
        _mailboxes++;
        return (store.FindMailbox(name) ?? throw new StoreException("A mailbox cannot be made.")).Id;
    }

    /// <summary>Takes over a mailbox's UIDVALIDITY.</summary>
    /// <returns>Whether its UIDs can be kept.</returns>
    public Task<bool> TryAdoptAsync(long mailboxId, uint uidValidity, CancellationToken cancellationToken) =>
        store.MaintainAsync(connection => UidAdoption.TryBegin(connection, mailboxId, uidValidity), cancellationToken);

    /// <summary>Makes a UID the mailbox's next one.</summary>
    public Task RaiseUidNextAsync(long mailboxId, uint uidNext, CancellationToken cancellationToken) =>
        store.MaintainAsync(connection => UidAdoption.Raise(connection, mailboxId, uidNext), cancellationToken);

    /// <summary>Adds a message, unless it is empty or too large.</summary>
    /// <param name="mailboxId">The mailbox.</param>
    /// <param name="message">What it says; it is disposed by the caller.</param>
    /// <param name="flags">Its flags, whatever they are.</param>
    /// <param name="date">Its INTERNALDATE.</param>
    /// <param name="name">How it is called in a finding.</param>
    /// <param name="cancellationToken">Ends it; then the message is not there.</param>
    public async Task AppendAsync(long mailboxId, MessageSpool message, FlagList flags, DateTimeOffset date, string name, CancellationToken cancellationToken)
    {
        if (message.Length == 0)
        {
            Tell($"{name} is empty", "it is left out");
            return;
        }
        if (message.Length > MaxMessageBytes)
        {
            TellTooLarge(name);
            return;
        }
        var possible = flags with { Keywords = Possible(mailboxId, flags.Keywords, name) };
        await store.AppendAsync(mailboxId, [new NewMessage(message, possible, date)], replaced: null, cancellationToken);
        _messages++;
        progress?.Report(_messages);
    }

    public void TellTooLarge(string name) => Tell(FormattableString.Invariant($"{name} has more than {MaxMessageBytes} bytes"), "it is left out");

    private ImmutableArray<string> Possible(long mailboxId, ImmutableArray<string> keywords, string name)
    {
        if (keywords.IsEmpty) return keywords;
        ImmutableArray<string> possible = [.. keywords.Where(FlagList.IsKeyword).Distinct(StringComparer.OrdinalIgnoreCase).Take(FlagList.MaxKeywords)];
        if (possible.Length < keywords.Distinct(StringComparer.OrdinalIgnoreCase).Count()) Tell($"{name} has keywords that cannot be", "they are left out");
        if (_keywords.TryUse(mailboxId, possible)) return possible;
        if (_full.Add(mailboxId)) Tell(FormattableString.Invariant($"{name} has keywords that are more than the {KeywordLimit.PerMailbox} of a mailbox"), "they are left out, here and in what follows");
        return [];
    }
}
