using System.Text.Json;

namespace ImapDirector.Director.Authentication.Tokens;

/// <summary>What is read in the claims of a token that is good.</summary>
internal static class TokenClaims
{
    /// <param name="options">What they must say.</param>
    /// <param name="claim">Gives a claim's value; <c>null</c> when there is none.</param>
    public static TokenAnswer Read(TokenOptions options, Func<string, object?> claim)
    {
        if (options.RequiredScope is { } scope && !Scopes(claim("scope")).Concat(Scopes(claim("scp"))).Contains(scope)) return new TokenAnswer(TokenAnswerKind.WrongScope);
        // An address that the issuer has not seen proof of is anybody's; one that it says nothing of may be.
        if (options.UserClaim == "email" && !IsTrue(claim("email_verified")) && (options.RequireVerifiedEmail || claim("email_verified") is not null)) return new TokenAnswer(TokenAnswerKind.Invalid);
        return TextOf(claim(options.UserClaim)) is { Length: > 0 } user ? new TokenAnswer(TokenAnswerKind.Valid, user) : new TokenAnswer(TokenAnswerKind.Invalid);
    }

    private static IEnumerable<string> Scopes(object? value) => value switch
    {
        string text => text.Split(' '),
        JsonElement { ValueKind: JsonValueKind.String } text => text.GetString()!.Split(' '),
        JsonElement { ValueKind: JsonValueKind.Array } list => list.EnumerateArray().Where(static item => item.ValueKind == JsonValueKind.String).Select(static item => item.GetString()!),
        IEnumerable<object> list => list.OfType<string>(),
        _ => [],
    };

    private static string? TextOf(object? value) => value switch
    {
        string text => text,
        JsonElement { ValueKind: JsonValueKind.String } text => text.GetString(),
        _ => null,
    };

    private static bool IsTrue(object? value) => value is true or "true" or JsonElement { ValueKind: JsonValueKind.True };
}
