using System.Text;
using ImapDirector.Protocol;

namespace ImapDirector.Director.Authentication;

/// <summary>Makes the one canonical name of what a client sent (limits P19).</summary>
internal static class LoginName
{
    /// <returns><c>false</c> when it is none.</returns>
    public static bool TryRead(ReadOnlySpan<byte> name, string? defaultDomain, out UserName user)
    {
        user = default;
        if (name.Length > UserName.MaxLength || !Ascii.IsValid(name)) return false;
        Span<char> text = stackalloc char[name.Length];
        Encoding.ASCII.GetChars(name, text);
        return UserName.TryCreate(text, defaultDomain, out user);
    }

    /// <summary>Makes the canonical name of a master: a list of its own, where no domain is added.</summary>
    /// <returns><c>false</c> when it is none.</returns>
    public static bool TryReadMaster(ReadOnlySpan<byte> name, out UserName master) => TryRead(name, null, out master);

    /// <summary>Reads a name as somebody else has written it who says who a client is. It is nobody's where it is only like one of ours, but for a domain that is left
    /// out: what a subaddress or a capital letter tells apart may be two users to them, and whoever may call themselves <c>alice+x</c> there is not Alice.</summary>
    /// <returns><c>false</c> when it is none.</returns>
    public static bool TryReadIssued(string name, string? defaultDomain, out UserName user) => TryRead(Encoding.UTF8.GetBytes(name), defaultDomain, out user)
        && user.Value.StartsWith(name, StringComparison.Ordinal) && (user.Value.Length == name.Length || user.Value[name.Length] == '@');
}
