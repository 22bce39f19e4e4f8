using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ImapDirector.Tests.Shared;
using MailKit;
using Xunit;

namespace ImapDirector.EndToEnd;

/// <summary>Clients that fetch mail and keep it, each against everything in one process.</summary>
public sealed class FetchingClientsTests
{
    [FactIfInstalled("fetchmail")]
    public async Task Fetchmail_takes_what_is_new_and_leaves_it_read()
    {
        using var directory = new TemporaryDirectory();
        await using var server = await StartAsync(directory);
        await WritePrivateAsync(directory.File("rc"), $"""
            set no bouncemail
            poll 127.0.0.1 protocol IMAP port {Port(server)}
              user "{Mail.Alice}" password "{Mail.Password}" ssl no sslcertck keep
              mda "/bin/sh -c 'cat >> {directory.File("fetched")}'"

            """);
        await ClientProgram.RunAsync("fetchmail", directory.Path, "-f", directory.File("rc"), "--nosyslog", "-s");
        var fetched = await File.ReadAllTextAsync(directory.File("fetched"));
        foreach (var subject in new[] { "one", "two", "three" }) Assert.Contains($"Subject: {subject}", fetched, StringComparison.Ordinal);
        Assert.Equal(["Seen", "Seen", "Seen"], await FlagsAsync(server));
    }

    [FactIfInstalled("offlineimap")]
    public async Task Offlineimap_keeps_a_maildir_in_step_both_ways()
    {
        using var directory = new TemporaryDirectory();
        await using var server = await StartAsync(directory);
        using var certificate = X509Certificate2.CreateFromPem(await File.ReadAllTextAsync(directory.File("tls/cert.pem")));
        await WritePrivateAsync(directory.File("rc"), $"""
            [general]
            accounts = a
            metadata = {directory.File("meta")}
            ui = quiet
            [Account a]
            localrepository = near
            remoterepository = far
            [Repository near]
            type = Maildir
            localfolders = {directory.File("near")}
            [Repository far]
            type = IMAP
            remotehost = 127.0.0.1
            remoteport = {Port(server)}
            remoteuser = {Mail.Alice}
            remotepass = {Mail.Password}
            ssl = yes
            cert_fingerprint = {Convert.ToHexStringLower(certificate.GetCertHash(HashAlgorithmName.SHA512))}

            """);
        await SyncAsync();
        var near = Directory.GetFiles(Path.Combine(directory.File("near"), "INBOX"), "*", SearchOption.AllDirectories);
        Assert.Equal(3, near.Length);
        Assert.True(Directory.Exists(Path.Combine(directory.File("near"), "Sent")));

        // One is flagged on the near side, one deleted on the far side.
        File.Move(near[0], Path.Combine(directory.File("near"), "INBOX", "cur", Path.GetFileName(near[0]).Split(":2,")[0] + ":2,FS"));
        using (var client = await Mail.LogInAsync(server.Imaps))
        {
            await client.Inbox.OpenAsync(FolderAccess.ReadWrite);
            var gone = (await client.Inbox.FetchAsync(0, -1, MessageSummaryItems.UniqueId | MessageSummaryItems.Envelope)).First(summary => !File.ReadAllText(
                Directory.GetFiles(Path.Combine(directory.File("near"), "INBOX"), "*:2,FS", SearchOption.AllDirectories)[0]).Contains($"Subject: {summary.Envelope!.Subject}\n", StringComparison.Ordinal));
            await client.Inbox.AddFlagsAsync(gone.UniqueId, MessageFlags.Deleted, silent: true);
            await client.Inbox.ExpungeAsync();
        }
        await SyncAsync();
        Assert.Equal(2, Directory.GetFiles(Path.Combine(directory.File("near"), "INBOX"), "*", SearchOption.AllDirectories).Length);
        Assert.Equal(["None", "Seen, Flagged"], (await FlagsAsync(server)).Order(StringComparer.Ordinal));

        Task<string> SyncAsync() => ClientProgram.RunAsync("offlineimap", directory.Path, "-o", "-c", directory.File("rc"));
    }

    [FactIfInstalled("neomutt")]
    public async Task Neomutt_opens_INBOX_copies_all_of_it_and_flags_a_message()
    {
        using var directory = new TemporaryDirectory();
        await using var server = await StartAsync(directory);
        await WritePrivateAsync(directory.File("rc"), $"""
            set spoolfile="imaps://127.0.0.1:{Port(server)}/INBOX"
            set imap_user="{Mail.Alice}"
            set imap_pass="{Mail.Password}"
            set ssl_verify_host=no
            set certificate_file="{directory.File("tls/cert.pem")}"
            set folder="{directory.Path}"
            set confirmappend=no
            set quit=yes
            set wait_key=no
            push "<tag-pattern>~A<enter><tag-prefix><copy-message>{directory.File("copied")}<enter><untag-pattern>~A<enter><first-entry><flag-message><quit>"

            """);
        // It wants a terminal.
        var script = $"TERM=xterm neomutt -n -F {directory.File("rc")}";
        await ClientProgram.RunAsync("script", directory.Path, "-qec", script, "/dev/null");
        var copied = await File.ReadAllTextAsync(directory.File("copied"));
        foreach (var subject in new[] { "one", "two", "three" }) Assert.Contains($"Subject: {subject}", copied, StringComparison.Ordinal);
        Assert.Single(await FlagsAsync(server), static flags => flags.Contains("Flagged", StringComparison.Ordinal));
    }

    private static async Task<RunningProgram> StartAsync(TemporaryDirectory directory)
    {
        var server = await RunningProgram.StandaloneAsync(directory.Path, "--user", Mail.Alice, "--password", Mail.Password);
        foreach (var subject in new[] { "one", "two", "three" }) await Mail.DeliverAsync(server.Lmtp, Mail.Alice, Mail.Message(subject));
        return server;
    }

    private static string Port(RunningProgram server) => server.Imaps.Port.ToString(CultureInfo.InvariantCulture);

    private static async Task<List<string>> FlagsAsync(RunningProgram server)
    {
        using var client = await Mail.LogInAsync(server.Imaps);
        await client.Inbox.OpenAsync(FolderAccess.ReadOnly);
        return [.. (await client.Inbox.FetchAsync(0, -1, MessageSummaryItems.Flags)).Select(static summary => (summary.Flags!.Value & ~MessageFlags.Recent).ToString())];
    }

    /// <summary>A file with a password in it, which some clients insist that nobody else can read.</summary>
    private static async Task WritePrivateAsync(string file, string text)
    {
        await File.WriteAllTextAsync(file, text);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}
