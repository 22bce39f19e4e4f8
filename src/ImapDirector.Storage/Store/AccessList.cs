using ImapDirector.Protocol;
using ImapDirector.Protocol.Imap;

namespace ImapDirector.Storage.Store;

/// <summary>One entry of a mailbox's access list (RFC 4314 section 2).</summary>
/// <param name="Identifier">Whose.</param>
/// <param name="Rights">What is given, or taken away where the identifier is negative.</param>
internal readonly record struct AccessEntry(AccessIdentifier Identifier, MailboxRights Rights);

/// <summary>Who may do what with a mailbox, besides its owner, who may do everything always.</summary>
internal sealed class AccessList(IReadOnlyList<AccessEntry> entries)
{
    public static readonly AccessList Empty = new([]);

    /// <summary>In the order of the identifiers.</summary>
    public IReadOnlyList<AccessEntry> Entries => entries;

    /// <summary>What a user who is not the owner may do: what is given to the user and to everybody, less what is taken from either.</summary>
    public MailboxRights RightsOf(UserName user)
    {
        var (given, taken) = (MailboxRights.None, MailboxRights.None);
        foreach (var (identifier, rights) in entries)
        {
            if (!identifier.Means(user)) continue;
            if (identifier.IsNegative) taken |= rights;
            else given |= rights;
        }
        return given & ~taken;
    }
}

/// <summary>Whom an entry means: a user, or everybody (<c>anyone</c>); with a <c>-</c> in front it takes rights away.</summary>
internal readonly record struct AccessIdentifier
{
    private const string Everybody = "anyone";

    private AccessIdentifier(string value) => Value = value;

    public string Value { get; }

    public bool IsNegative => Value[0] == '-';

    public bool IsAnyone => Name is Everybody;

    private ReadOnlySpan<char> Name => IsNegative ? Value.AsSpan(1) : Value;

    /// <summary>The user it means, where it is not <see cref="IsAnyone"/>.</summary>
    public UserName User => UserName.TryCreate(Name, null, out var user) ? user : throw new InvalidOperationException("The identifier was never set.");

    /// <summary>Whether it means this user, alone or among all.</summary>
    public bool Means(UserName user) => IsAnyone || IsFor(user);

    /// <summary>Whether it means this user alone.</summary>
    public bool IsFor(UserName user) => Name.SequenceEqual(user.Value);

    /// <returns><c>false</c> when it is neither a user's name, which need not exist, nor <c>anyone</c>.</returns>
    public static bool TryCreate(string text, out AccessIdentifier identifier)
    {
        identifier = default;
        var name = text.StartsWith('-') ? text[1..] : text;
        // A subaddress is no user: what it is cut off from would be another identifier than the client wrote.
        // And a name that begins with the sign could not be told from a negative one.
        if (name.StartsWith('-') || name.Contains('+', StringComparison.Ordinal) || !UserName.TryCreate(name, null, out var user)) return false;
        identifier = new AccessIdentifier(text.StartsWith('-') ? "-" + user.Value : user.Value);
        return true;
    }

    public override string ToString() => Value;
}
