using ImapDirector.Protocol;
using ImapDirector.Protocol.Imap;

namespace ImapDirector.Storage.Mailboxes;

/// <summary>Where a name leads.</summary>
/// <param name="Owner">Whose mailbox it is; <c>null</c> where there can be none of that name.</param>
/// <param name="Name">What its owner calls it.</param>
internal readonly record struct MailPlace(UserName? Owner, MailboxName Name);

/// <summary>The namespaces (RFC 2342): a user's own mailboxes; those of others under <c>Other Users/bob@example.com/</c>; those of one account that all share under
/// <c>Shared Folders/</c>. The names are those of Cyrus, and no client's own folders are called so.</summary>
/// <param name="sharedUser">The account of the shared mailboxes, or <c>null</c> where there are none.</param>
internal sealed class MailNamespaces(UserName? sharedUser)
{
    public const string Others = "Other Users/";

    public const string Shared = "Shared Folders/";

    public bool HasShared => sharedUser is not null;

    /// <summary>The account of the shared mailboxes.</summary>
    public UserName? SharedUser => sharedUser;

    /// <summary>Where a user's name leads.</summary>
    public MailPlace Find(MailboxName name, UserName user)
    {
        if (IsUnder(name.Value, Others))
        {
            var path = name.Value.AsSpan(Math.Min(name.Value.Length, Others.Length));
            var end = path.IndexOf(MailboxName.Delimiter);
            // Under one spelling only, so that no mailbox has two names; and each mailbox in one namespace only.
            if (end < 0 || !UserName.TryCreate(path[..end], null, out var owner) || !path[..end].SequenceEqual(owner.Value) || owner == user || owner == sharedUser) return default;
            return MailboxName.TryCreate(path[(end + 1)..].ToString(), out var theirs) ? new MailPlace(owner, theirs) : default;
        }
        if (sharedUser is { } shared && IsUnder(name.Value, Shared))
            return shared != user && name.Value.Length > Shared.Length && MailboxName.TryCreate(name.Value[Shared.Length..], out var common) ? new MailPlace(shared, common) : default;
        return new MailPlace(user, name);
    }

    /// <summary>What the names of somebody else's mailboxes begin with.</summary>
    public string PrefixOf(UserName owner) => owner == sharedUser ? Shared : $"{Others}{owner.Value}{MailboxName.Delimiter}";

    /// <summary>Whether a name is a namespace's, or under it.</summary>
    private static bool IsUnder(string name, string prefix) =>
        name.StartsWith(prefix, StringComparison.Ordinal) || (name.Length == prefix.Length - 1 && prefix.StartsWith(name, StringComparison.Ordinal));
}
