using System.Text.RegularExpressions;
using ImapDirector.Protocol.Assertions;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.EndToEnd;

public sealed partial class KeysCommandTests
{
    [Fact]
    public async Task A_pair_of_keys_is_made_with_one_command_and_the_private_one_is_its_owners()
    {
        using var directory = new TemporaryDirectory();
        var keys = directory.File("keys");
        var (exitCode, output, _) = await RunningProgram.RunAsync("", "keys", "new", "--directory", keys);
        Assert.Equal(0, exitCode);
        var id = KeyFile().Match(output).Groups[1].Value;
        var (mine, theirs) = (Path.Combine(keys, id + ".key"), Path.Combine(keys, id + ".pem"));
        using var signer = AssertionSigner.Parse(await File.ReadAllTextAsync(mine));
        Assert.Equal(id, signer.KeyId);
        Assert.Equal(signer.ExportPublicPem(), await File.ReadAllTextAsync(theirs));
        Assert.DoesNotContain("PRIVATE", output, StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(mine));
    }

    [Fact]
    public async Task Where_nothing_can_be_written_it_says_so()
    {
        using var directory = new TemporaryDirectory();
        await File.WriteAllTextAsync(directory.File("file"), "");
        var (exitCode, _, error) = await RunningProgram.RunAsync("", "keys", "new", "--directory", directory.File("file"));
        Assert.Equal(74, exitCode);
        Assert.Contains("name a directory that you may write to", error, StringComparison.Ordinal);
    }

    [GeneratedRegex("([0-9a-f]{16})\\.key")]
    private static partial Regex KeyFile();
}
