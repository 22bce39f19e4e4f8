using System.Buffers;
using System.Text;

namespace ImapDirector.Protocol.Lmtp;

/// <summary>An address between angle brackets (RFC 5321 section 4.1.2, RFC 6531 section 3.3), the domain of which may be missing.</summary>
/// <param name="Written">As it was written, without brackets and source route.</param>
/// <param name="Resolved">With the quotes of a quoted local part resolved; <c>null</c> where the result names nobody: the empty path, and a quoted
/// local part that holds an <c>@</c>, which would pass for the one before the domain.</param>
internal readonly record struct LmtpPath(string Written, string? Resolved)
{
    /// <summary>The longest path, in characters: twice what RFC 5321 asks for, since rewritten senders (SRS, VERP) go beyond that.</summary>
    public const int MaxLength = 512;

    private const int MaxDomainLength = 255;

    private const string AtomSpecials = "!#$%&'*+-/=?^_`{|}~";

    private static readonly SearchValues<char> LiteralSpecials = SearchValues.Create(" []\\<>@");

    /// <summary>Takes a path off the front of <paramref name="input"/>, to where its parameters begin.</summary>
    /// <param name="input">What follows the colon. The line has been checked for control characters.</param>
    /// <param name="path">The path.</param>
    public static bool TryTake(ref ReadOnlySpan<char> input, out LmtpPath path)
    {
        path = default;
        if (input.IsEmpty || input[0] != '<') return false;
        var rest = input[1..];
        if (rest.StartsWith("@") && !SkipSourceRoute(ref rest)) return false;
        var begin = rest;
        var resolved = new StringBuilder();
        if (!TakeLocalPart(ref rest, resolved)) return false;
        var hasAt = rest.StartsWith("@");
        if (hasAt)
        {
            var domain = rest[1..];
            var length = domain.IndexOf('>');
            if (length < 0 || !IsDomain(domain[..length])) return false;
            resolved.Append('@').Append(domain[..length]);
            rest = domain[length..];
        }
        if (rest.IsEmpty || rest[0] != '>') return false;
        var written = begin[..^rest.Length];
        // A local part that is empty must say so by its quotes.
        if (written.Length > MaxLength || written.StartsWith("@")) return false;
        rest = rest[1..];
        if (!rest.IsEmpty && rest[0] != ' ') return false;
        var address = resolved.ToString();
        var isAmbiguous = written.IsEmpty || address.AsSpan().Count('@') > (hasAt ? 1 : 0);
        path = new LmtpPath(written.ToString(), isAmbiguous ? null : address);
        input = rest;
        return true;
    }

    // "@relay1,@relay2:" in front of the address is to be understood and ignored (RFC 5321 appendix C).
    private static bool SkipSourceRoute(ref ReadOnlySpan<char> rest)
    {
        var end = rest.IndexOf(':');
        if (end < 0) return false;
        foreach (var range in rest[..end].Split(','))
        {
            var relay = rest[range];
            if (relay.IsEmpty || relay[0] != '@' || !IsHostName(relay[1..])) return false;
        }
        rest = rest[(end + 1)..];
        // Nobody sends for "no one" through a relay.
        return !rest.StartsWith(">");
    }

    private static bool TakeLocalPart(ref ReadOnlySpan<char> rest, StringBuilder resolved)
    {
        if (!rest.IsEmpty && rest[0] == '"') return TakeQuoted(ref rest, resolved);
        var length = 0;
        while (length < rest.Length && (IsAtomText(rest[length]) || rest[length] == '.')) length++;
        var local = rest[..length];
        if (local.StartsWith(".") || local.EndsWith(".") || local.Contains("..", StringComparison.Ordinal)) return false;
        resolved.Append(local);
        rest = rest[length..];
        return true;
    }

    private static bool TakeQuoted(ref ReadOnlySpan<char> rest, StringBuilder resolved)
    {
        for (var i = 1; i < rest.Length; i++)
        {
            var letter = rest[i];
            if (letter == '"')
            {
                rest = rest[(i + 1)..];
                return true;
            }
            if (letter == '\\')
            {
                if (++i == rest.Length) return false;
                letter = rest[i];
            }
            resolved.Append(letter);
        }
        return false;
    }

    private static bool IsDomain(ReadOnlySpan<char> domain) =>
        domain is ['[', .. var literal, ']']
            ? literal.Length is > 0 and <= MaxDomainLength && Ascii.IsValid(literal) && !literal.ContainsAny(LiteralSpecials)
            : IsHostName(domain);

    // Underscores are in no host name, and in use all the same.
    private static bool IsHostName(ReadOnlySpan<char> name)
    {
        if (name.Length is 0 or > MaxDomainLength || name[0] is '.' or '-' || name[^1] is '.' or '-' || name.Contains("..", StringComparison.Ordinal)) return false;
        foreach (var letter in name)
            if (!char.IsAsciiLetterOrDigit(letter) && letter is not ('.' or '-' or '_') && char.IsAscii(letter)) return false;
        return true;
    }

    private static bool IsAtomText(char letter) => char.IsAsciiLetterOrDigit(letter) || !char.IsAscii(letter) || AtomSpecials.Contains(letter, StringComparison.Ordinal);
}
