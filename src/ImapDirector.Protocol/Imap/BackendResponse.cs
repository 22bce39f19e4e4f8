namespace ImapDirector.Protocol.Imap;

/// <summary>One response line of a backend (RFC 3501 section 7), as the director reads it before the relay begins.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Tag">The tag of a <see cref="BackendResponseKind.Tagged"/> status, else empty.</param>
/// <param name="Status">The status of a tagged or untagged status response.</param>
/// <param name="Code">The name of the response code in upper case, such as <c>UNAVAILABLE</c>; empty without one.</param>
/// <param name="CodeArguments">What follows the name inside the brackets, such as <c>IMAP4rev1 IDLE</c>; empty without any.</param>
/// <param name="Text">A status' text; what follows <c>* </c> or <c>+ </c> in the other kinds. Printable ASCII: anything else has become
/// <c>?</c>. It is the backend's, not ours: it never goes to a client, and into a log only as a value.</param>
public sealed record BackendResponse(BackendResponseKind Kind, string Tag, ImapStatus Status, string Code, string CodeArguments, string Text)
{
    internal static readonly BackendResponse EndOfStream = Failure(BackendResponseKind.EndOfStream);
    internal static readonly BackendResponse Malformed = Failure(BackendResponseKind.Malformed);
    internal static readonly BackendResponse TooLong = Failure(BackendResponseKind.TooLong);
    internal static readonly BackendResponse TooMany = Failure(BackendResponseKind.TooMany);

    /// <summary>Whether a line was read at all: <c>false</c> for the kinds after which the connection is only good to be closed.</summary>
    public bool IsLine => Kind <= BackendResponseKind.Data;

    /// <summary>The capabilities this line announces, in upper case, be it as <c>* CAPABILITY …</c> or as the code <c>[CAPABILITY …]</c>;
    /// <c>null</c> when it announces none, also with an empty list: a server has one capability at least (RFC 3501 section 7.2.1).</summary>
    public IReadOnlyList<string>? Capabilities()
    {
        const string name = "CAPABILITY";
        if (Code == name) return Words(CodeArguments);
        var isData = Kind == BackendResponseKind.Data
            && Text.StartsWith(name, StringComparison.OrdinalIgnoreCase)
            && (Text.Length == name.Length || Text[name.Length] == ' ');
        return isData ? Words(Text[name.Length..]) : null;
    }

    private static string[]? Words(string text) => text.ToUpperInvariant().Split(' ', StringSplitOptions.RemoveEmptyEntries) is { Length: > 0 } words ? words : null;

    private static BackendResponse Failure(BackendResponseKind kind) => new(kind, "", ImapStatus.Bad, "", "", "");
}

/// <summary>The kinds of <see cref="BackendResponse"/>.</summary>
public enum BackendResponseKind
{
    /// <summary><c>* OK</c>, <c>* NO</c>, <c>* BAD</c>, <c>* BYE</c> or <c>* PREAUTH</c>; a greeting is one of these.</summary>
    Untagged,
    /// <summary><c>tag OK</c>, <c>tag NO</c> or <c>tag BAD</c>.</summary>
    Tagged,
    /// <summary><c>+ …</c>.</summary>
    Continuation,
    /// <summary>Any other untagged response, such as <c>* CAPABILITY …</c>.</summary>
    Data,
    /// <summary>The backend closed; an unfinished line, if any, is dropped.</summary>
    EndOfStream,
    /// <summary>A line that is no response: bare CR or LF, NUL, no known shape, or one that carries a literal.</summary>
    Malformed,
    /// <summary>A line over the limit (limits R3).</summary>
    TooLong,
    /// <summary>More lines than the limit (limits R3).</summary>
    TooMany,
}
