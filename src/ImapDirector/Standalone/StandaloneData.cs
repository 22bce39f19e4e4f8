using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ImapDirector.Configuration;

namespace ImapDirector.Standalone;

/// <summary>The data directory of the stand-alone role: for its owner only, used by one process at a time, with the secrets its parts share.</summary>
internal sealed class StandaloneData : IDisposable
{
    private const string SecretsFile = "standalone.json";
    private const string TokenFile = "api-token";
    private static readonly JsonSerializerOptions Strict = new() { RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true };

    private readonly FileStream _lock;

    private StandaloneData(string directory, FileStream held, StandaloneSecrets secrets) => (Directory, _lock, Secrets) = (directory, held, secrets);

    public string Directory { get; }

    public StandaloneSecrets Secrets { get; private set; }

    /// <summary>Takes the directory, and makes it where there is none.</summary>
    /// <exception cref="ConfigurationException">Another process has it, or it cannot be written.</exception>
    public static StandaloneData Open(string directory)
    {
        try
        {
            var path = Path.GetFullPath(directory);
            if (OperatingSystem.IsWindows()) System.IO.Directory.CreateDirectory(path);
            else System.IO.Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            var held = Lock(path);
            try
            {
                return new StandaloneData(path, held, ReadSecrets(path) ?? StandaloneSecrets.New());
            }
            catch
            {
                held.Dispose();
                throw;
            }
        }
        catch (Exception refused) when (refused is UnauthorizedAccessException or IOException)
        {
            throw new ConfigurationException($"--data is \"{directory}\", which cannot be used ({refused.GetType().Name}): name a directory that this process may write to.");
        }
    }

    /// <summary>The file with what orders to it have to show; made where there is none.</summary>
    public string ApiTokenFile
    {
        get
        {
            var file = Path.Combine(Directory, TokenFile);
            if (!File.Exists(file)) Write(file, static stream => stream.Write(Encoding.ASCII.GetBytes(StandaloneSecrets.Random() + "\n")));
            return file;
        }
    }

    /// <summary>Where the running server is asked, and the file with what it has to be shown.</summary>
    /// <exception cref="ConfigurationException">There is none.</exception>
    public static (IPEndPoint Http, string TokenFile) ReadApi(string directory)
    {
        try
        {
            var secrets = ReadSecrets(Path.GetFullPath(directory)) ?? throw new ConfigurationException(
                $"--data is \"{directory}\", where no stand-alone server has its data: name its directory, or a director's configuration with --config.");
            return (new IPEndPoint(IPAddress.Loopback, secrets.HttpPort), Path.Combine(directory, TokenFile));
        }
        catch (Exception unreadable) when (unreadable is UnauthorizedAccessException or IOException)
        {
            throw new ConfigurationException($"--data is \"{directory}\", which cannot be read ({unreadable.GetType().Name}): run this as the user who runs the server.");
        }
    }

    /// <summary>Keeps the ports that it got, so that commands find it, and the secrets.</summary>
    public void Save(StandaloneSecrets secrets)
    {
        Secrets = secrets;
        Write(Path.Combine(Directory, SecretsFile), stream => JsonSerializer.Serialize(stream, Secrets));
    }

    /// <summary>Makes a directory in it that only its owner may enter, also where whoever made the data directory let others in: there are hashes and keys.</summary>
    /// <returns>Its path.</returns>
    public string MakePrivate(string name)
    {
        var path = Path.Combine(Directory, name);
        System.IO.Directory.CreateDirectory(path);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    /// <summary>The private key that the director logs in with at the nodes; a pair is made where there is none.</summary>
    /// <returns>Its file, and the directory of the public key.</returns>
    public (string PrivateFile, string PublicDirectory) EnsureAssertionKey()
    {
        var (mine, theirs) = (MakePrivate("assertion-key"), MakePrivate("assertion-keys"));
        // Without its public key, which is made after it, a private key is one of a start that failed.
        var key = System.IO.Directory.GetFiles(mine, "*.key").FirstOrDefault(file => File.Exists(Path.Combine(theirs, Path.GetFileNameWithoutExtension(file) + ".pem")));
        return (key ?? AssertionKeyPair.Create(mine, theirs).PrivateFile, theirs);
    }

    public void Dispose() => _lock.Dispose();

    private void Write(string file, Action<Stream> write)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var stream = new FileStream(file + ".new", options))
        {
            write(stream);
            stream.Flush(flushToDisk: true);
        }
        File.Move(file + ".new", file, overwrite: true);
        Network.DirectorySync.Flush(Directory);
    }

    private static FileStream Lock(string directory)
    {
        try
        {
            return new FileStream(Path.Combine(directory, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            throw new ConfigurationException($"--data is \"{directory}\", which another process uses: stop it, or name another directory.");
        }
    }

    private static StandaloneSecrets? ReadSecrets(string directory)
    {
        var file = Path.Combine(directory, SecretsFile);
        if (!File.Exists(file)) return null;
        try
        {
            if (JsonSerializer.Deserialize<StandaloneSecrets>(File.ReadAllBytes(file), Strict) is { } secrets) return secrets;
        }
        catch (JsonException)
        {
            // Told below, without what is in it.
        }
        throw new ConfigurationException($"The file \"{file}\" is damaged: remove it, and the next start makes new secrets; accounts and mail stay.");
    }
}

/// <summary>What the parts of a stand-alone server know each other by.</summary>
/// <param name="RedisPort">Where the embedded Redis listened last.</param>
/// <param name="RedisPassword">Its password.</param>
/// <param name="HttpPort">Where HTTP listened last.</param>
internal sealed record StandaloneSecrets(int RedisPort, string RedisPassword, int HttpPort = 0)
{
    /// <summary>The names of its nodes.</summary>
    public static readonly IReadOnlyList<string> NodeNames = ["node1", "node2"];

    public static StandaloneSecrets New() => new(0, Random());

    /// <summary>Leaves the passwords out.</summary>
    public override string ToString() => nameof(StandaloneSecrets);

    /// <summary>A secret.</summary>
    public static string Random() => RandomNumberGenerator.GetHexString(48, lowercase: true);
}
