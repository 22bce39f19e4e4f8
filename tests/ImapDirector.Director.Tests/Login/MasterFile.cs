using System.Net;
using System.Text;
using ImapDirector.Director.Authentication;
using ImapDirector.Director.Tests.Backends;

namespace ImapDirector.Director.Tests.Login;

/// <summary>Masters in a file: <c>support</c>, <c>tool</c> who has a verifier for SCRAM, <c>gone</c> who may not, and one who is called like the user bob.</summary>
internal sealed class MasterFile : IDisposable
{
    public const string Password = "master-Pass1";

    private readonly DirectoryInfo _directory = System.IO.Directory.CreateTempSubdirectory("imapdirector-");

    public string Path => System.IO.Path.Combine(_directory.FullName, "masters");

    /// <summary>As it was written.</summary>
    public string Text { get; private set; } = "";

    public static async Task<MasterFile> CreateAsync()
    {
        var file = new MasterFile();
        var (hash, verifier) = (await HashAsync(PasswordScheme.Sha256Crypt), await HashAsync(PasswordScheme.ScramSha256));
        await file.WriteAsync($"support:{hash}\ntool:{verifier}\ngone:{hash}::::::nologin\nbob@example.com:{hash}\n");
        return file;
    }

    public async Task WriteAsync(string text)
    {
        Text = text;
        // In one step, so that nobody reads half of it.
        await File.WriteAllTextAsync(Path + ".new", text);
        File.Move(Path + ".new", Path, overwrite: true);
    }

    /// <summary>A director where they may log in from loopback.</summary>
    /// <param name="node">The node.</param>
    /// <param name="with">Changes the settings.</param>
    /// <param name="masters">Changes those of masters.</param>
    public Task<RunningDirector> StartAsync(BackendNode node, Func<DirectorOptions, DirectorOptions>? with = null, Func<MasterOptions, MasterOptions>? masters = null) => RunningDirector.StartAsync(node, options =>
    {
        var own = new MasterOptions { File = Path, Networks = [IPNetwork.Parse("127.0.0.0/8")], Separator = '*' };
        var authentication = new AuthenticationOptions { Mechanisms = ["PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"], Masters = masters?.Invoke(own) ?? own };
        options = options with { Authentication = authentication, Throttle = options.Throttle with { AddressFailures = 1000 } };
        return with?.Invoke(options) ?? options;
    });

    public void Dispose() => _directory.Delete(recursive: true);

    /// <summary>A message of PLAIN.</summary>
    public static string Plain(string identity, string name, string password = Password) => Convert.ToBase64String(Encoding.Latin1.GetBytes($"{identity}\0{name}\0{password}"));

    private static async Task<string> HashAsync(PasswordScheme scheme) => (await UserAccounts.HashAsync(scheme, Encoding.ASCII.GetBytes(Password), CancellationToken.None))!;
}
