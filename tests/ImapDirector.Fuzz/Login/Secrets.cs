using System.Text;
using System.Text.RegularExpressions;
using Xunit;

namespace ImapDirector.Fuzz.Login;

/// <summary>The passwords that must not turn up where they do not belong. They hold a letter that no tag can have, so that a client cannot have them echoed by calling a
/// command so.</summary>
internal static partial class Secrets
{
    public const string OfUser = "k3y%Fuzz-user";
    /// <summary>Of a master, who may be anybody.</summary>
    public const string OfChief = "k3y%Fuzz-chief";
    /// <summary>Of the director at its nodes.</summary>
    public const string OfMaster = "k3y%Fuzz-master";

    private static readonly string[] Forms = [.. Of(OfUser), .. Of(OfChief), .. Of(OfMaster)];

    /// <summary>Whether a text holds the password, as it is or in base64, wherever in it that begins.</summary>
    public static bool Holds(string text, string secret) => Of(secret).Any(form => text.Contains(form, StringComparison.Ordinal));

    public static void DemandNoneIn(string text)
    {
        foreach (var form in Forms) Assert.False(text.Contains(form, StringComparison.OrdinalIgnoreCase), $"a password is in: {text}");
    }

    /// <summary>As above, of a line of the log. A client may call itself by a password in base64, and that is a name then; the password itself cannot be one.</summary>
    public static void DemandNoneInLog(string line)
    {
        DemandNoneIn(Names().Replace(line, "$1=…"));
        foreach (var secret in new[] { OfUser, OfChief, OfMaster }) Assert.False(line.Contains(secret, StringComparison.OrdinalIgnoreCase), $"a password is in: {line}");
    }

    [GeneratedRegex(@"\b(user|master)=\S+")]
    private static partial Regex Names();

    private static string[] Of(string secret)
    {
        var bytes = Encoding.ASCII.GetBytes(secret);
        return [secret, Convert.ToHexString(bytes), .. Enumerable.Range(0, 3).Select(before => InBase64(bytes, before))];
    }

    // Those of the letters that no neighbour has a part in.
    private static string InBase64(byte[] secret, int before)
    {
        var text = Convert.ToBase64String([.. new byte[before], .. secret]);
        return text[((before * 8 + 5) / 6)..((before + secret.Length) * 8 / 6)];
    }
}
