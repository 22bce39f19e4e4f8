using System.Net;
using System.Security.Cryptography;

namespace ImapDirector.Protocol.Assertions;

/// <summary>What a director says to one node about one login, delivery or order. Signed, it is a JSON Web Token (RFC 7519) that works once, at that node, for
/// that user, and for seconds.</summary>
public sealed record Assertion
{
    /// <summary>The director's name (<c>iss</c>).</summary>
    public required string Issuer { get; init; }

    /// <summary>The node's name (<c>aud</c>).</summary>
    public required string Audience { get; init; }

    /// <summary>Whose mail it is about (<c>sub</c>); <c>null</c> for what is about no single user.</summary>
    public UserName? Subject { get; init; }

    /// <summary>The epoch of the user's assignment (<c>epoch</c>), from 1; 0 where whoever comes knows of none.</summary>
    public long Epoch { get; init; }

    /// <summary>The session's id at the director (<c>sid</c>): 1 to 64 printable ASCII characters without quotes.</summary>
    public required string SessionId { get; init; }

    /// <summary>The client's address (<c>addr</c>); <c>null</c> where there is no client.</summary>
    public IPAddress? ClientAddress { get; init; }

    /// <summary>What it may be used for (<c>scope</c>).</summary>
    public required AssertionScope Scope { get; init; }

    /// <summary>When it was made (<c>iat</c>), to the second.</summary>
    public required DateTimeOffset IssuedAt { get; init; }

    /// <summary>From when on it is void (<c>exp</c>), to the second; at most <see cref="AssertionVerifier.MaxValidity"/> later.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>128 random bits (<c>jti</c>), by which a node knows that it has had it.</summary>
    public UInt128 Id { get; init; } = NewId();

    private static UInt128 NewId()
    {
        Span<byte> bytes = stackalloc byte[16];
        RandomNumberGenerator.Fill(bytes);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }
}

/// <summary>What an <see cref="Assertion"/> may be used for.</summary>
public enum AssertionScope
{
    /// <summary>An IMAP session of the user's.</summary>
    Imap,
    /// <summary>A delivery to the user.</summary>
    Lmtp,
    /// <summary>Reading or writing the user's whole store, to move it.</summary>
    Transfer,
    /// <summary>Asking the node, or giving it orders.</summary>
    Control,
}

/// <summary>Every way a node can refuse an assertion. For its log and metrics: whoever sent it learns nothing of it.</summary>
public enum AssertionRefusal
{
    /// <summary>It is not refused.</summary>
    None,
    /// <summary>It is no token of our form.</summary>
    Malformed,
    /// <summary>Another algorithm than ES256.</summary>
    WrongAlgorithm,
    /// <summary>None of the node's keys has this key id.</summary>
    UnknownKey,
    /// <summary>The key's owner has not signed this.</summary>
    BadSignature,
    /// <summary>It is for another node.</summary>
    WrongNode,
    /// <summary>It is for another use.</summary>
    WrongScope,
    /// <summary>It is for another user.</summary>
    WrongUser,
    /// <summary>It would be valid for longer than any director makes one.</summary>
    TooLong,
    /// <summary>It is from the future, by more than clocks may differ.</summary>
    NotYetValid,
    /// <summary>Its time is over, by more than clocks may differ.</summary>
    Expired,
    /// <summary>It was made before this node started, which no longer knows what it has had.</summary>
    BeforeStart,
    /// <summary>It has been used.</summary>
    Replayed,
    /// <summary>More were used lately than can be remembered.</summary>
    TooMany,
}
