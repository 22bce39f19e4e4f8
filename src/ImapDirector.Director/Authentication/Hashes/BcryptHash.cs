using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace ImapDirector.Director.Authentication;

/// <summary>A bcrypt hash: <c>$2y$10$</c>, 22 characters of salt and 31 of hash. As everywhere, only the first 72 bytes of a password count.</summary>
internal sealed record BcryptHash : PasswordHash
{
    public const int MaxPasswordBytes = 72;
    // 2^14 rounds take about a second.
    private const int MinCost = 4;
    private const int MaxCost = 14;
    private const int Length = 60;

    private readonly string _text;

    private BcryptHash(string text) => _text = text;

    /// <inheritdoc />
    public override PasswordScheme Scheme => PasswordScheme.Bcrypt;

    /// <inheritdoc cref="PasswordHash.TryParse" />
    public static BcryptHash? TryParse(string text) =>
        text.Length == Length && text.AsSpan(0, 4) is "$2a$" or "$2b$" or "$2y$" && text[6] == '$'
        && int.TryParse(text.AsSpan(4, 2), NumberStyles.None, CultureInfo.InvariantCulture, out var cost) && cost is >= MinCost and <= MaxCost
        && text.AsSpan(7).IndexOfAnyExcept(CryptBase64.Alphabet) < 0
            ? new BcryptHash(text)
            : null;

    /// <summary>Hashes with a new salt, at a cost that takes some 60 ms.</summary>
    public static string Make(byte[] password) => BCrypt.Net.BCrypt.HashPassword(Encoding.UTF8.GetString(password), BCrypt.Net.BCrypt.GenerateSalt(10, 'y'));

    /// <inheritdoc />
    public override ValueTask<bool> MatchesAsync(byte[] password)
    {
        // What is no UTF-8 was not hashed by anybody. It is compared all the same, or the time would tell that there is such a user.
        var isText = Utf8.IsValid(password);
        return ValueTask.FromResult(BCrypt.Net.BCrypt.Verify(Encoding.UTF8.GetString(password), _text) & isText);
    }
}
