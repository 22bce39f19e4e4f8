using System.Buffers;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;

namespace ImapDirector.Protocol.Assertions;

/// <summary>An assertion's claims as JSON, and back. Strict: exactly our members, each once, in plain ASCII, so that no two readers can understand one
/// token in two ways.</summary>
internal static class AssertionFormat
{
    private const int MaxNameLength = 64;
    private const string IdFormat = "x32";
    private static readonly string[] Scopes = ["imap", "lmtp", "transfer", "control"];
    private static readonly string[] HeaderMembers = ["alg", "kid", "typ"];
    private static readonly string[] ClaimMembers = ["iss", "aud", "sub", "epoch", "sid", "addr", "scope", "iat", "exp", "jti"];

    public static byte[] WriteHeader(string keyId) => Encoding.ASCII.GetBytes($$"""{"alg":"ES256","kid":"{{keyId}}","typ":"JWT"}""");

    /// <exception cref="ArgumentException">A claim is not of its form.</exception>
    public static byte[] WriteClaims(Assertion assertion)
    {
        if (!IsName(assertion.Issuer) || !IsName(assertion.Audience) || !IsName(assertion.SessionId) || assertion.Epoch < 0)
            throw new ArgumentException("A claim is not of its form.", nameof(assertion));
        var output = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(output))
        {
            json.WriteStartObject();
            json.WriteString("iss", assertion.Issuer);
            json.WriteString("aud", assertion.Audience);
            json.WriteString("sub", assertion.Subject?.Value ?? "");
            json.WriteNumber("epoch", assertion.Epoch);
            json.WriteString("sid", assertion.SessionId);
            json.WriteString("addr", assertion.ClientAddress?.ToString() ?? "");
            json.WriteString("scope", Scopes[(int)assertion.Scope]);
            json.WriteNumber("iat", assertion.IssuedAt.ToUnixTimeSeconds());
            json.WriteNumber("exp", assertion.ExpiresAt.ToUnixTimeSeconds());
            json.WriteString("jti", assertion.Id.ToString(IdFormat, CultureInfo.InvariantCulture));
            json.WriteEndObject();
        }
        return output.WrittenSpan.ToArray();
    }

    public static bool TryReadHeader(ReadOnlySpan<byte> json, out string algorithm, out string keyId)
    {
        (algorithm, keyId) = ("", "");
        if (!TryRead(json, HeaderMembers, out var values) || values[2].Text != "JWT") return false;
        if (values[0].Text is not { } alg || values[1].Text is not { } kid) return false;
        (algorithm, keyId) = (alg, kid);
        return true;
    }

    public static Assertion? TryReadClaims(ReadOnlySpan<byte> json)
    {
        if (!TryRead(json, ClaimMembers, out var values)) return null;
        if (values[0].Text is not { } issuer || !IsName(issuer) || values[1].Text is not { } audience || !IsName(audience)) return null;
        if (values[2].Text is not { } name || values[4].Text is not { } session || !IsName(session)) return null;
        if (values[5].Text is not { } client || values[6].Text is not { } scopeName || values[9].Text is not { } id) return null;
        if (values[3].Number is not { } epoch || values[7].Number is not { } issued || values[8].Number is not { } expires) return null;
        UserName? user = null;
        // The canonical spelling or none (limits D2).
        if (name.Length > 0)
        {
            if (!UserName.TryCreate(name, null, out var canonical) || canonical.Value != name) return null;
            user = canonical;
        }
        IPAddress? address = null;
        if (client.Length > 0 && !IPAddress.TryParse(client, out address)) return null;
        var scope = Array.IndexOf(Scopes, scopeName);
        var latest = DateTimeOffset.MaxValue.ToUnixTimeSeconds();
        if (scope < 0 || issued > latest || expires > latest || id.Length != 32
            || !UInt128.TryParse(id, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number)) return null;
        return new Assertion
        {
            Issuer = issuer,
            Audience = audience,
            Subject = user,
            Epoch = epoch,
            SessionId = session,
            ClientAddress = address,
            Scope = (AssertionScope)scope,
            IssuedAt = DateTimeOffset.FromUnixTimeSeconds(issued),
            ExpiresAt = DateTimeOffset.FromUnixTimeSeconds(expires),
            Id = number,
        };
    }

    /// <summary>Reads one flat object that has exactly the given members, in any order.</summary>
    private static bool TryRead(ReadOnlySpan<byte> json, string[] members, out Value[] values)
    {
        values = new Value[members.Length];
        // No escapes and no UTF-8: what is compared is what was signed.
        if (!Ascii.IsValid(json) || json.Contains((byte)'\\')) return false;
        var missing = members.Length;
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 1 });
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return false;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var index = Array.IndexOf(members, reader.GetString());
                if (index < 0 || values[index].IsSet || !reader.Read()) return false;
                if (reader.TokenType == JsonTokenType.String) values[index] = new Value(reader.GetString(), null);
                else if (reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var number) && number >= 0) values[index] = new Value(null, number);
                else return false;
                missing--;
            }
            return missing == 0 && reader.TokenType == JsonTokenType.EndObject && !reader.Read();
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static bool IsName(string text) => text.Length is > 0 and <= MaxNameLength && text.All(static letter => letter is > ' ' and < '\x7F' and not ('"' or '\\' or '<' or '>' or '&' or '\'' or '+' or '`'));

    private readonly record struct Value(string? Text, long? Number)
    {
        public bool IsSet => Text is not null || Number is not null;
    }
}
