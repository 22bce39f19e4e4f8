using ImapDirector.Configuration;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace ImapDirector.Tests.Configuration;

public sealed class SettingsReloadTests
{
    private readonly Dictionary<string, string?> _file = new()
    {
        ["MaxConnections"] = "100",
        ["Imap"] = "127.0.0.1:143",
        ["Redis"] = "127.0.0.1:6379,password=hunter2",
        ["Nodes:0:Name"] = "node1",
        ["Nodes:0:MasterPassword"] = "12345678",
        ["Nodes:1:Name"] = "node2",
        ["Nodes:1:Weight"] = "100",
    };

    private readonly SettingsReload _reload;
    private int _applied;
    private string? _error;

    public SettingsReloadTests() => _reload = new SettingsReload(
        () => new ConfigurationBuilder().AddInMemoryCollection(_file).Build(),
        _ => _applied = _error is null ? _applied + 1 : throw new ConfigurationException(_error),
        new HashSet<string> { "MaxConnections", "Nodes" });

    [Fact]
    public void What_has_changed_is_told_with_what_it_was_and_when_it_holds()
    {
        _file["MaxConnections"] = "50";
        _file["Imap"] = "127.0.0.1:144";
        _file["LogLevel"] = "Debug";

        Assert.Equal(["Imap: (not shown) → (not shown), from the next start on", "LogLevel: unset → Debug, from the next start on", "MaxConnections: 100 → 50"], _reload.Read(isAsked: false));
        Assert.Equal(1, _applied);
        Assert.Empty(_reload.Read(isAsked: false));
        Assert.Equal(1, _applied);
    }

    [Fact]
    public void Nodes_are_known_by_their_names_wherever_they_stand_in_the_list()
    {
        foreach (var key in (string[])["Nodes:1:Name", "Nodes:0:MasterPassword"]) _file.Remove(key);
        (_file["Nodes:0:Name"], _file["Nodes:0:Weight"], _file["Nodes:1:Name"], _file["Nodes:1:Weight"], _file["Nodes:1:MasterPassword"]) = ("node2", "100", "node1", "50", "12345678");

        Assert.Equal(["Nodes:node1:Weight: unset → 50"], _reload.Read(isAsked: false));
    }

    [Fact]
    public void No_secret_is_shown_whatever_it_looks_like()
    {
        _file["Nodes:0:MasterPassword"] = "87654321";
        _file["Redis"] = "127.0.0.1:6379,password=correct horse";
        _file["MasterPassword"] = "42";

        var changes = string.Join('\n', _reload.Read(isAsked: false));

        foreach (var secret in (string[])["12345678", "87654321", "hunter2", "horse", "42"]) Assert.DoesNotContain(secret, changes, StringComparison.Ordinal);
        Assert.Equal(3, changes.Split('\n').Length);
    }

    [Fact]
    public void An_error_leaves_everything_as_it_was_and_is_told_once()
    {
        _file["MaxConnections"] = "many";
        _error = "MaxConnections is \"many\".";
        Assert.Equal(_error, Assert.Throws<ConfigurationException>(() => _reload.Read(isAsked: false)).Message);
        Assert.Empty(_reload.Read(isAsked: false));
        Assert.Equal(_error, Assert.Throws<ConfigurationException>(() => _reload.Read(isAsked: true)).Message);
        Assert.Equal(0, _applied);

        (_file["MaxConnections"], _error) = ("10", null);
        Assert.Equal(["MaxConnections: 100 → 10"], _reload.Read(isAsked: false));
    }

    [Fact]
    public void Who_asks_has_files_read_again_that_settings_only_name()
    {
        Assert.Empty(_reload.Read(isAsked: true));
        Assert.Equal(1, _applied);
    }
}
