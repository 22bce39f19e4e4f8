using ImapDirector.Protocol;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Mailboxes;
using ImapDirector.Storage.Store;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Storage.Sessions;

/// <summary>The mailboxes that a session can name: its user's own, and those that others on this node share.</summary>
internal sealed partial class SessionMailboxes(UserMail mail, SessionServices services, WorkTurns turns)
{
    /// <summary>For another user's store to be opened.</summary>
    private static readonly TimeSpan OpenTimeout = TimeSpan.FromSeconds(30);

    public UserName User => mail.Store.User;

    public MailNamespaces Namespaces => services.Namespaces;

    /// <summary>Whether everybody may be given something in an owner's mailboxes.</summary>
    public bool MayGiveToAnyone(UserName owner) => services.Options.AllowAnyone || Namespaces.SharedUser == owner;

    /// <summary>Finds the mailbox of a name. Dispose what it gives when done.</summary>
    public ValueTask<MailboxAccess> FindAsync(MailboxName name)
    {
        var place = Namespaces.Find(name, User);
        if (place.Owner == User) return ValueTask.FromResult(MailboxAccess.Own(mail, name));
        return place.Owner is { } owner ? FindForeignAsync(owner, place.Name, static (store, name) => store.FindMailbox(name)) : ValueTask.FromResult(MailboxAccess.None);
    }

    /// <summary>Finds a mailbox by what its owner calls it, whatever its access list says: for those who have another proof that they may read it.</summary>
    public async ValueTask<MailboxAccess> FindOfOwnerAsync(UserName owner, MailboxName name)
    {
        if (Namespaces.Find(name, owner).Owner != owner) return MailboxAccess.None;
        if (owner == User) return MailboxAccess.Own(mail, name);
        return await AcquireAsync(owner) is { } lease ? MailboxAccess.Foreign(lease, name, MailboxRights.Lookup, User) : MailboxAccess.None;
    }

    /// <summary>As <see cref="FindAsync"/>, for a mailbox that is to be made: with the rights that the nearest mailbox above it gives (RFC 4314 section 4).</summary>
    public ValueTask<MailboxAccess> FindPlaceAsync(MailboxName name)
    {
        var place = Namespaces.Find(name, User);
        if (place.Owner == User) return ValueTask.FromResult(MailboxAccess.Own(mail, name));
        return place.Owner is { } owner ? FindForeignAsync(owner, place.Name, NearestAbove) : ValueTask.FromResult(MailboxAccess.None);
    }

    /// <summary>Opens the mail of the users who may have shared something, one after the other, and hands over what each mailbox allows.</summary>
    /// <param name="isWanted">Whether names that begin so are asked for.</param>
    /// <param name="known">Owners whose mailboxes the user has subscribed to.</param>
    /// <param name="take">Takes the prefix of an owner's names, and the mailboxes that may be known of.</param>
    public async Task ReadSharedAsync(Func<string, bool> isWanted, IEnumerable<UserName> known, Action<string, IReadOnlyList<(MailboxRecord Mailbox, MailboxRights Rights)>> take)
    {
        var owners = new SortedSet<string>(known.Select(static owner => owner.Value), StringComparer.Ordinal);
        try
        {
            owners.UnionWith(services.Mails.Sharing.OwnersFor(User));
        }
        catch (StoreException failed)
        {
            // One's own mailboxes are listed whatever is known of others.
            Log.SharingUnknown(services.Logger, failed);
        }
        var looked = 0;
        foreach (var name in owners)
        {
            if (!UserName.TryCreate(name, null, out var owner) || owner == User || !isWanted(Namespaces.PrefixOf(owner))) continue;
            if (++looked > SharingIndex.MaxOwners) return;
            try
            {
                await using var lease = await AcquireAsync(owner);
                if (lease is not null) take(Namespaces.PrefixOf(owner), Visible(lease.Mail.Store));
            }
            catch (StoreException failed)
            {
                // The one user's mail cannot be reached; that of all others can.
                Log.StoreFailed(services.Logger, owner.Value, failed);
            }
        }
    }

    /// <summary>Opens another user's mail where some of it may be read.</summary>
    /// <returns><c>null</c> where nothing may.</returns>
    public async ValueTask<UserMailLease?> OpenReadableAsync(UserName owner)
    {
        var lease = await AcquireAsync(owner);
        if (lease is null || lease.Mail.Store.Access.RightsOf(User).Values.Any(static rights => (rights & Reading) == Reading)) return lease;
        await lease.DisposeAsync();
        return null;
    }

    private const MailboxRights Reading = MailboxRights.Lookup | MailboxRights.Read;

    private List<(MailboxRecord, MailboxRights)> Visible(UserStore store)
    {
        var rights = store.Access.RightsOf(User);
        return [.. store.ListMailboxes().Select(mailbox => (mailbox, rights.GetValueOrDefault(mailbox.Id))).Where(static found => (found.Item2 & MailboxRights.Lookup) != 0)];
    }

    private async ValueTask<MailboxAccess> FindForeignAsync(UserName owner, MailboxName name, Func<UserStore, MailboxName, MailboxRecord?> find)
    {
        var lease = await AcquireAsync(owner);
        if (lease is null) return MailboxAccess.None;
        try
        {
            var store = lease.Mail.Store;
            var rights = find(store, name) is { } mailbox ? store.Access.Find(mailbox.Id).RightsOf(User) : MailboxRights.None;
            if ((rights & MailboxRights.Lookup) != 0) return MailboxAccess.Foreign(lease, name, rights, User);
        }
        catch
        {
            await lease.DisposeAsync();
            throw;
        }
        await lease.DisposeAsync();
        return MailboxAccess.None;
    }

    private static MailboxRecord? NearestAbove(UserStore store, MailboxName name)
    {
        for (var end = name.Value.LastIndexOf(MailboxName.Delimiter); end > 0; end = name.Value.LastIndexOf(MailboxName.Delimiter, end - 1))
            if (store.FindMailbox(new MailboxName(name.Value[..end])) is { } above) return above;
        return null;
    }

    private async ValueTask<UserMailLease?> AcquireAsync(UserName owner)
    {
        turns.Pause();
        using var patience = new CancellationTokenSource(OpenTimeout);
        try
        {
            return await services.Mails.TryAcquireAsync(owner, patience.Token);
        }
        catch (OperationCanceledException late) when (patience.IsCancellationRequested)
        {
            throw new StoreException("Another user's store could not be opened in time.", late);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1023, LogLevel.Error, "it cannot be read who shares mailboxes")]
        public static partial void SharingUnknown(ILogger logger, Exception exception);

        [LoggerMessage(1022, LogLevel.Error, "the mail of {User}, who shares some of it, cannot be opened")]
        public static partial void StoreFailed(ILogger logger, string user, Exception exception);
    }
}
