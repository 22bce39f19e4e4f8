using System.Security.Cryptography;
using System.Text;
using ImapDirector.Protocol;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Commands;
using ImapDirector.Storage.Mailboxes;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Sessions;

/// <summary>What a session may do with a mailbox that a command names: everything with its user's own, what the access list says with one of somebody else,
/// whose mail stays open as long as this is.</summary>
internal sealed class MailboxAccess : IAsyncDisposable
{
    /// <summary>A mailbox that is not there, or that is not to be known of: nothing tells the two apart.</summary>
    public static readonly MailboxAccess None = new(null, default, MailboxRights.None, default, null);

    private readonly UserMail? _mail;
    private readonly UserName _user;
    private readonly UserMailLease? _lease;

    private MailboxAccess(UserMail? mail, MailboxName name, MailboxRights rights, UserName user, UserMailLease? lease) =>
        (_mail, Name, Rights, _user, _lease) = (mail, name, rights, user, lease);

    /// <summary>One's own; nothing is looked up.</summary>
    public static MailboxAccess Own(UserMail mail, MailboxName name) => new(mail, name, MailboxRights.All, default, null);

    /// <summary>Somebody else's.</summary>
    public static MailboxAccess Foreign(UserMailLease lease, MailboxName name, MailboxRights rights, UserName user) => new(lease.Mail, name, rights, user, lease);

    /// <summary>The mail it belongs to; only where it <see cref="IsVisible"/>.</summary>
    public UserMail Mail => _mail ?? throw new InvalidOperationException("There is no such mailbox.");

    /// <summary>What its owner calls it.</summary>
    public MailboxName Name { get; }

    /// <summary>What the session might do with it when the name was looked up.</summary>
    public MailboxRights Rights { get; }

    public bool IsOwn => _mail is not null && _lease is null;

    /// <summary>Whether the session may know that it is there. One's own need not be: that shows when it is used.</summary>
    public bool IsVisible => (Rights & MailboxRights.Lookup) != 0;

    /// <summary>What keeps the ids of another user's mailboxes and messages (RFC 8474) apart from one's own.</summary>
    public string ObjectScope => IsOwn ? "" : "-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(Mail.Store.User.Value)).AsSpan(0, 8));

    /// <summary>The refusal of a command that needs these rights; <c>null</c> when they are there.</summary>
    public CommandResult? Refuses(MailboxRights needed, CommandResult? whenMissing = null)
    {
        if (!IsVisible) return whenMissing ?? CommandResult.NoSuchMailbox;
        return (Rights & needed) == needed ? null : CommandResult.NoPermission;
    }

    /// <summary>What the session may do with it now that it is open.</summary>
    public MailboxRights RightsNow(SharedMailbox mailbox)
    {
        if (IsOwn) return MailboxRights.All;
        var rights = mailbox.Access.RightsOf(_user);
        return (rights & MailboxRights.Lookup) == 0 ? MailboxRights.None : rights;
    }

    public ValueTask DisposeAsync() => _lease?.DisposeAsync() ?? ValueTask.CompletedTask;
}
