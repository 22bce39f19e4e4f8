using ImapDirector.Tests.Shared;
using MailKit;
using Microsoft.Data.Sqlite;
using Xunit;

namespace ImapDirector.EndToEnd;

/// <summary><c>imapdirector store …</c> beside a running server and without it.</summary>
public sealed class StoreCommandTests
{
    [Fact]
    public async Task Mail_is_checked_backed_up_exported_mended_and_imported()
    {
        using var directory = new TemporaryDirectory();
        var data = directory.File("data");
        string node;
        await using (var server = await RunningProgram.StandaloneAsync(data, "--user", Mail.Alice, "--password", Mail.Password))
        {
            await Mail.DeliverAsync(server.Lmtp, Mail.Alice, Mail.Message("small"));
            await Mail.DeliverAsync(server.Lmtp, Mail.Alice, Mail.Message("large", 300_000));
            node = Directory.GetDirectories(data, "node*").Single(static path => Directory.Exists(Path.Combine(path, "users")));

            // Beside the node: what only looks works, what changes anything does not.
            Assert.Equal((0, "", "imapdirector: 1 user checked, 0 findings.\n"), await StoreAsync("check", "--all"));
            Assert.Equal((0, "", "imapdirector: 1 user backed up, 0 findings.\n"), await StoreAsync("backup", "--all", "--to", directory.File("backup")));
            Assert.Equal((0, "", "imapdirector: 1 user exported, 6 mailboxes with 2 messages, 0 findings.\n"),
                await StoreAsync("export", "--user", Mail.Alice, "--format", "maildir", "--keep-uids", "--to", directory.File("maildir")));
            foreach (var command in new[] { "repair", "vacuum" })
            {
                var (exitCode, printed, error) = await StoreAsync(command, "--all");
                Assert.Equal((75, "", $"imapdirector: The data directory \"{node}\" is in use, by a node or another command: stop it first.\n"), (exitCode, printed, error));
            }
            Assert.Equal(0, await server.TerminateAsync());
        }

        await DamageAsync(node);
        var (found, line, _) = await StoreAsync("check", "--user", Mail.Alice);
        Assert.Equal((2, $"{Mail.Alice}\tcounter\t\"INBOX\" has 99 messages in its counter where there are 2\trun \"store repair\"\n"), (found, line));
        (found, line, _) = await StoreAsync("repair", "--all");
        Assert.Equal((0, $"{Mail.Alice}\tcounter\t\"INBOX\" has 99 messages in its counter where there are 2\tmended\n"), (found, line));
        Assert.Equal(0, (await StoreAsync("vacuum", "--all")).ExitCode);
        Assert.Equal("imapdirector: 1 user imported, 6 mailboxes with 2 messages, 0 findings.\n",
            (await StoreAsync("import", "--user", Mail.Alice, "--format", "maildir", "--from", directory.File("maildir"))).Error);
        Assert.Equal(0, (await StoreAsync("check", "--all")).ExitCode);
        Assert.Equal(0, (await RunningProgram.RunAsync("", "store", "check", "--data", directory.File("backup"), "--all")).ExitCode);

        await using var again = await RunningProgram.StandaloneAsync(data);
        using var client = await Mail.LogInAsync(again.Imaps);
        await client.Inbox.OpenAsync(FolderAccess.ReadOnly);
        var subjects = (await client.Inbox.FetchAsync(0, -1, MessageSummaryItems.Envelope)).Select(static message => message.Envelope!.Subject);
        Assert.Equal(["small", "large", "small", "large"], subjects);
        Assert.Equal((await client.Inbox.GetMessageAsync(1)).TextBody, (await client.Inbox.GetMessageAsync(3)).TextBody);

        Task<(int ExitCode, string Printed, string Error)> StoreAsync(params string[] arguments) => RunningProgram.RunAsync("", ["store", .. arguments, "--data", node]);
    }

    [Theory]
    [InlineData(64, "check")]
    [InlineData(64, "check", "--all", "--user", "a@example.com")]
    [InlineData(64, "export", "--all", "--format", "mbox", "--keep-uids", "--to", "NEW")]
    [InlineData(64, "export", "--all", "--format", "zip", "--to", "NEW")]
    [InlineData(65, "check", "--user", "../../etc")]
    [InlineData(65, "import", "--user", "a@example.com", "--format", "mbox", "--from", "NEW")]
    [InlineData(67, "check", "--user", "a@example.com")]
    [InlineData(73, "backup", "--all", "--to", "FULL")]
    [InlineData(73, "export", "--all", "--format", "mbox", "--to", "FULL")]
    [InlineData(74, "backup", "--user", "bob@example.com", "--to", "FILE/below")]
    [InlineData(78, "check", "--all", "--config", "FILE")]
    public async Task What_cannot_be_done_is_told_in_a_line_with_its_code(int exitCode, params string[] arguments)
    {
        using var directory = new TemporaryDirectory();
        Directory.CreateDirectory(directory.File("data/spool"));
        Directory.CreateDirectory(directory.File("full/x"));
        await File.WriteAllTextAsync(directory.File("file"), "{}");
        Directory.CreateDirectory(directory.File("maildir/cur"));
        Assert.Equal(0, (await RunningProgram.RunAsync("", "store", "import", "--user", "bob@example.com", "--format", "maildir", "--from", directory.File("maildir"), "--data", directory.File("data"))).ExitCode);
        string[] given = [.. arguments.Select(argument => argument.Replace("NEW", directory.File("new"), StringComparison.Ordinal)
            .Replace("FULL", directory.File("full"), StringComparison.Ordinal).Replace("FILE", directory.File("file"), StringComparison.Ordinal))];
        var (code, printed, error) = await RunningProgram.RunAsync("", ["store", .. given, .. arguments.Contains("--config") ? Array.Empty<string>() : ["--data", directory.File("data")]]);
        Assert.True(code == exitCode, $"{code} {printed}{error}");
        if (code != 64) Assert.StartsWith("imapdirector: ", Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    private static async Task DamageAsync(string node)
    {
        var database = Directory.GetFiles(node, "mail.db", SearchOption.AllDirectories).Single();
        await using var connection = new SqliteConnection($"Data Source={database};Pooling=False");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = "UPDATE mailboxes SET messages = 99 WHERE name = 'INBOX'";
        await command.ExecuteNonQueryAsync();
    }
}
