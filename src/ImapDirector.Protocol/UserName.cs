namespace ImapDirector.Protocol;

/// <summary>
/// The canonical name of a user: lower case, with a domain, without subaddress. It is made once, by
/// <see cref="TryCreate"/>, and this one string is what Redis, the node, the store and the logs see.
/// </summary>
/// <remarks>Alphabet <c>a-z 0-9 . - _ @</c>, 1 to 255 characters, at most one <c>@</c>, so a name can never
/// carry a separator, a control character or a path of any other system.</remarks>
public readonly record struct UserName
{
    /// <summary>The longest name, in characters (which are all ASCII, so also in bytes).</summary>
    public const int MaxLength = 255;

    private readonly string? _value;

    private UserName(string value) => _value = value;

    /// <summary>The canonical text.</summary>
    /// <exception cref="InvalidOperationException">The value is <c>default</c>.</exception>
    public string Value => _value ?? throw new InvalidOperationException("The user name was never set.");

    /// <summary>Canonicalises <paramref name="input"/>: lower-cases ASCII, cuts a subaddress (<c>+detail</c>) off the
    /// local part, adds <paramref name="defaultDomain"/> where no domain is given.</summary>
    /// <param name="input">What the client or the sender wrote.</param>
    /// <param name="defaultDomain">The domain of names without one, or <c>null</c> to leave them as they are.</param>
    /// <param name="user">The canonical name.</param>
    /// <returns><c>false</c> when the name is empty, too long or has a character outside the alphabet.</returns>
    public static bool TryCreate(ReadOnlySpan<char> input, string? defaultDomain, out UserName user)
    {
        user = default;
        if (input.Length is 0 or > MaxLength) return false;
        var at = input.IndexOf('@');
        var local = at < 0 ? input : input[..at];
        var domain = at < 0 ? defaultDomain.AsSpan() : input[(at + 1)..];
        var plus = local.IndexOf('+');
        if (plus >= 0) local = local[..plus];
        if (!IsName(local) || (at >= 0 && domain.IsEmpty) || (!domain.IsEmpty && !IsName(domain))) return false;
        var text = domain.IsEmpty ? local.ToString() : $"{local}@{domain}";
        if (text.Length > MaxLength) return false;
        user = new UserName(text.ToLowerInvariant());
        return true;
    }

    /// <inheritdoc />
    public override string ToString() => _value ?? "";

    private static bool IsName(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty || text[0] == '.' || text[^1] == '.') return false;
        foreach (var c in text)
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '-' or '_')) return false;
        return true;
    }
}
