using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace ImapDirector.Director.Directory;

/// <summary>A script that is asked for so often that it is named by its hash, and sent only where Redis does not know it.</summary>
internal sealed class RedisScript(string text)
{
    /// <summary>How Redis' error begins where it does not know the script.</summary>
    public const string UnknownPrefix = "NOSCRIPT";

    /// <summary>The script.</summary>
    public string Text { get; } = text;

    /// <summary>Its name for EVALSHA: 20 bytes.</summary>
    public byte[] Hash { get; } = Sha1(text);

    [SuppressMessage("Security", "CA5350", Justification = "By SHA-1, and by nothing else, Redis knows scripts; nothing depends on its strength.")]
    private static byte[] Sha1(string text) => SHA1.HashData(Encoding.UTF8.GetBytes(text));
}
