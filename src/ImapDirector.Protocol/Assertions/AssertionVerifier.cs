using System.Buffers;
using System.Buffers.Text;

namespace ImapDirector.Protocol.Assertions;

/// <summary>A node's judgement of tokens. Safe for use by many threads.</summary>
public sealed class AssertionVerifier
{
    /// <summary>The longest time from <c>iat</c> to <c>exp</c>.</summary>
    public static readonly TimeSpan MaxValidity = TimeSpan.FromMinutes(5);

    /// <summary>The longest token, in bytes: the longest names fit well.</summary>
    public const int MaxTokenBytes = 2048;

    /// <summary>How many used tokens are remembered: some 5,000 logins a second for 90 seconds.</summary>
    public const int DefaultCapacity = 500_000;

    private const int SignatureBytes = 64;

    private readonly string _audience;
    private readonly TimeSpan _tolerance;
    private readonly TimeProvider _time;
    private readonly ReplayTable _used;
    private readonly DateTimeOffset _started;

    /// <param name="audience">The node's name.</param>
    /// <param name="tolerance">How far directors' clocks may be from this one.</param>
    /// <param name="time">The clock.</param>
    /// <param name="capacity">How many used tokens are remembered; with that many, further ones are refused.</param>
    public AssertionVerifier(string audience, TimeSpan tolerance, TimeProvider time, int capacity = DefaultCapacity)
    {
        (_audience, _tolerance, _time, _used) = (audience, tolerance, time, new ReplayTable(time, capacity));
        _started = DateTimeOffset.FromUnixTimeSeconds(time.GetUtcNow().ToUnixTimeSeconds());
    }

    /// <summary>Judges a token, and uses it up if it is good.</summary>
    /// <param name="token">As it came.</param>
    /// <param name="keys">Whose signatures count.</param>
    /// <param name="scope">What it is to be used for.</param>
    /// <param name="user">Whom it is to be about, or <c>null</c> where that is the caller's to look at.</param>
    /// <param name="assertion">What it says, when it is not refused.</param>
    public AssertionRefusal Verify(ReadOnlySpan<byte> token, AssertionKeySet keys, AssertionScope scope, UserName? user, out Assertion? assertion)
    {
        assertion = null;
        var refusal = CheckSignature(token, keys, out var claims);
        if (refusal != AssertionRefusal.None) return refusal;
        if (AssertionFormat.TryReadClaims(claims) is not { } said) return AssertionRefusal.Malformed;
        if (said.Audience != _audience) return AssertionRefusal.WrongNode;
        if (said.Scope != scope) return AssertionRefusal.WrongScope;
        if (user is not null && said.Subject != user) return AssertionRefusal.WrongUser;
        if (said.ExpiresAt <= said.IssuedAt || said.ExpiresAt - said.IssuedAt > MaxValidity) return AssertionRefusal.TooLong;
        var now = _time.GetUtcNow();
        if (said.IssuedAt > now + _tolerance) return AssertionRefusal.NotYetValid;
        var remaining = said.ExpiresAt + _tolerance - now;
        if (remaining <= TimeSpan.Zero) return AssertionRefusal.Expired;
        if (said.IssuedAt < _started) return AssertionRefusal.BeforeStart;
        refusal = _used.Use(said.Id, said.ExpiresAt, remaining);
        if (refusal == AssertionRefusal.None) assertion = said;
        return refusal;
    }

    private static AssertionRefusal CheckSignature(ReadOnlySpan<byte> token, AssertionKeySet keys, out ReadOnlySpan<byte> claims)
    {
        claims = default;
        if (token.Length > MaxTokenBytes) return AssertionRefusal.Malformed;
        var first = token.IndexOf((byte)'.');
        if (first < 0) return AssertionRefusal.Malformed;
        var second = token[(first + 1)..].IndexOf((byte)'.') + first + 1;
        if (second == first) return AssertionRefusal.Malformed;
        if (!TryDecode(token[..first], out var header) || !TryDecode(token[(first + 1)..second], out var payload) || !TryDecode(token[(second + 1)..], out var signature))
            return AssertionRefusal.Malformed;
        if (!AssertionFormat.TryReadHeader(header, out var algorithm, out var keyId)) return AssertionRefusal.Malformed;
        if (algorithm != "ES256") return AssertionRefusal.WrongAlgorithm;
        if (signature.Length != SignatureBytes) return AssertionRefusal.BadSignature;
        switch (keys.Verify(keyId, token[..second], signature))
        {
            case null:
                return AssertionRefusal.UnknownKey;
            case false:
                return AssertionRefusal.BadSignature;
            default:
                claims = payload;
                return AssertionRefusal.None;
        }
    }

    /// <summary>Decodes base64url without padding (RFC 7515 section 2), and nothing else: the decoder itself would skip white space.</summary>
    private static bool TryDecode(ReadOnlySpan<byte> text, out byte[] bytes)
    {
        bytes = [];
        if (text.IsEmpty || text.ContainsAnyExcept(Alphabet) || !Base64Url.IsValid(text, out var length)) return false;
        bytes = new byte[length];
        return Base64Url.DecodeFromUtf8(text, bytes, out _, out var written) == OperationStatus.Done && written == length;
    }

    private static readonly SearchValues<byte> Alphabet = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"u8);
}
