using System.Security.Cryptography;
using System.Text;
using ImapDirector.Network;

namespace ImapDirector.Operations.Api;

/// <summary>What whoever gives orders over <c>/api/v1</c> has to show: the first line of a file, which is read again when it has changed.</summary>
public sealed class ApiToken
{
    /// <summary>The shortest, in characters.</summary>
    public const int MinLength = 32;

    /// <summary>The longest, in characters.</summary>
    public const int MaxLength = 512;

    private readonly string _file;
    private readonly Lock _lock = new();
    private byte[] _hash;
    private (DateTime Written, long Length) _version;

    private ApiToken(string file, byte[] hash, (DateTime, long) version) => (_file, _hash, _version) = (file, hash, version);

    /// <summary>Reads it.</summary>
    /// <param name="file">A file with 32 to 512 visible ASCII characters in it.</param>
    /// <exception cref="InvalidDataException">It cannot be read, or holds something else; the message says which and shows nothing of it.</exception>
    public static ApiToken Load(string file)
    {
        var version = VersionOf(file);
        return new ApiToken(file, SHA256.HashData(Encoding.ASCII.GetBytes(Read(file))), version);
    }

    /// <summary>The token in a file, for whoever has to show it.</summary>
    /// <exception cref="InvalidDataException">As <see cref="Load"/>.</exception>
    public static string Read(string file)
    {
        try
        {
            if (new FileInfo(file).Length <= MaxLength + 2 && File.ReadAllText(file).TrimEnd('\r', '\n') is { Length: >= MinLength and <= MaxLength } text
                && text.All(static letter => letter is > ' ' and < '\x7f')) return text;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"The API token's file \"{SettingRules.Shown(file)}\" cannot be read ({unreadable.GetType().Name}): name a file that this process may read.", unreadable);
        }
        throw new InvalidDataException($"The API token's file \"{SettingRules.Shown(file)}\" holds no token: write {MinLength} to {MaxLength} characters without spaces into it, such as \"openssl rand -hex 32\" prints.");
    }

    /// <summary>Whether this is it. How long that takes says nothing about it.</summary>
    public bool Matches(string presented)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(presented));
        return CryptographicOperations.FixedTimeEquals(Current(), hash);
    }

    private byte[] Current()
    {
        var version = VersionOf(_file);
        lock (_lock)
        {
            if (version == _version) return _hash;
            try
            {
                _hash = SHA256.HashData(Encoding.ASCII.GetBytes(Read(_file)));
            }
            catch (InvalidDataException)
            {
                // It is being written, or was spoiled: the old one stays, as an old certificate would.
                return _hash;
            }
            _version = version;
            return _hash;
        }
    }

    private static (DateTime, long) VersionOf(string file)
    {
        var info = new FileInfo(file);
        return info.Exists ? (info.LastWriteTimeUtc, info.Length) : default;
    }
}
