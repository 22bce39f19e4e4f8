using System.Net;
using System.Reflection;
using System.Text.RegularExpressions;
using ImapDirector.Configuration;
using ImapDirector.Director;
using ImapDirector.Network.Tls;
using ImapDirector.Tests.Architecture;
using Xunit;

namespace ImapDirector.Tests.Configuration;

/// <summary>Each setting of a director holds at once, or from the next start on; there is nothing in between.</summary>
public sealed partial class ReloadableSettingsTests
{
    public static TheoryData<string> Settings => [.. typeof(DirectorOptions).GetProperties().Select(static property => property.Name)];

    [Theory]
    [MemberData(nameof(Settings))]
    public void A_setting_is_taken_at_a_reload_or_stays_as_it_was_everywhere(string name)
    {
        var property = typeof(DirectorOptions).GetProperty(name)!;
        var (running, read) = (new DirectorOptions(), new DirectorOptions());
        property.SetValue(read, Other(property));
        Assert.NotEqual(property.GetValue(running), property.GetValue(read));

        var now = DirectorReload.Apply(running, read);

        Assert.Equal(property.GetValue(DirectorSettings.AtOnce.Contains(name) ? read : running), property.GetValue(now));
        Assert.Equal(now == running, !DirectorSettings.AtOnce.Contains(name));
    }

    [Fact]
    public void The_page_says_which_hold_at_once()
    {
        var page = File.ReadAllText(Path.Combine(Repository.Root, "docs/configuration.md"));
        var listed = Keys().Matches(page[page.IndexOf("Without a restart (", StringComparison.Ordinal)..].Split("\n\n")[0]).Select(static match => match.Groups[1].Value);

        Assert.Equal(DirectorSettings.AtOnce.Where(static key => !key.EndsWith("File", StringComparison.Ordinal)).Order(StringComparer.Ordinal), listed.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void What_holds_at_once_is_a_setting()
    {
        var settings = typeof(DirectorOptions).GetProperties().Select(static property => property.Name).ToHashSet();

        Assert.All(DirectorReload.Keys, key => Assert.Contains(key, settings));
    }

    private static object Other(PropertyInfo property) => property.GetValue(new DirectorOptions()) switch
    {
        bool flag => !flag,
        int number => number + 1,
        long number => number + 1,
        TimeSpan time => time + TimeSpan.FromSeconds(1),
        string text => text + "x",
        IReadOnlyList<string> => (string[])["x"],
        IReadOnlyList<IPNetwork> => (IPNetwork[])[IPNetwork.Parse("10.0.0.0/8")],
        IReadOnlyList<BackendNode> => (BackendNode[])[new BackendNode { Name = "node1", Host = "127.0.0.1" }],
        AuthenticationOptions authentication => authentication with { ScramIterations = 4096 },
        ThrottleOptions throttle => throttle with { UserFailures = 7 },
        null when property.PropertyType == typeof(string) => "x",
        null when property.PropertyType == typeof(int?) => 1,
        null when property.PropertyType == typeof(IPEndPoint) => new IPEndPoint(IPAddress.Loopback, 143),
        null when property.PropertyType == typeof(ClientCertificateOptions) => new ClientCertificateOptions("clients.pem", false, CertificateField.SubjectCommonName),
        _ => throw new InvalidOperationException($"{property.Name} is of a type that this test does not know."),
    };

    [GeneratedRegex("`([A-Za-z]+)`")]
    private static partial Regex Keys();
}
