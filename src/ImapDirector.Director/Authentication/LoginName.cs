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
}
