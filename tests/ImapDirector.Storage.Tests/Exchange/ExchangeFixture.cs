using ImapDirector.Storage.Tests.Store;

namespace ImapDirector.Storage.Tests.Exchange;

/// <summary>A user's store and a directory to exchange mail by.</summary>
internal sealed class ExchangeFixture : IAsyncDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("imapdirector-");

    private ExchangeFixture(StoreFixture user) => User = user;

    public StoreFixture User { get; }

    public string Mail => Path.Combine(_directory.FullName, "mail");

    public static async Task<ExchangeFixture> OpenAsync() => new(await StoreFixture.OpenAsync());

    public ExchangeResult Export(MailFormat format, bool keepUids = false)
    {
        Directory.CreateDirectory(Path.Combine(User.Directory.FullName, "users"));
        return StoreDirectory.Open(User.Directory.FullName).Export(User.User, Mail, format, keepUids, progress: null, CancellationToken.None);
    }

    /// <summary>Adds the mail to the user of another fixture.</summary>
    public async Task<ExchangeResult> ImportAsync(StoreFixture target, MailFormat format, bool keepUids = false)
    {
        await target.Store.DisposeAsync();
        ExchangeResult result;
        using (var taken = StoreDirectory.Open(target.Directory.FullName).Take())
            result = await taken.ImportAsync(target.User, Mail, format, keepUids, progress: null, CancellationToken.None);
        await target.ReopenAsync();
        return result;
    }

    /// <summary>Writes a file below <see cref="Mail"/>, its characters the bytes of their codes.</summary>
    public void Write(string path, string text)
    {
        var file = Path.Combine(Mail, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllBytes(file, System.Text.Encoding.Latin1.GetBytes(text));
    }

    public string Read(string path) => System.Text.Encoding.Latin1.GetString(File.ReadAllBytes(Path.Combine(Mail, path)));

    public async ValueTask DisposeAsync()
    {
        await User.DisposeAsync();
        _directory.Delete(recursive: true);
    }
}
