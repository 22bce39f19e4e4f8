using System.Net;
using ImapDirector.Operations.Health;
using ImapDirector.Operations.Tests.Https;
using Xunit;

namespace ImapDirector.Operations.Tests;

public sealed class OperationsOptionsTests
{
    private static readonly OperationsOptions Good = new()
    {
        Http = IPEndPoint.Parse("127.0.0.1:1180"),
        Checks = [RunningServer.Check("director", null), RunningServer.Check("node1", null)],
        Nodes = new Dictionary<string, Uri> { ["node1"] = new("http://127.0.0.1:1181"), ["n.2-x_y"] = new("https://mail.example.com/") },
    };

    [Fact]
    public void Good_settings_have_no_error() => Assert.Empty(Good.Validate());

    [Theory]
    [InlineData("127.0.0.1:1", true)]
    [InlineData("127.9.9.9:1", true)]
    [InlineData("[::1]:1", true)]
    [InlineData("0.0.0.0:1", false)]
    [InlineData("[::]:1", false)]
    [InlineData("10.0.0.1:1", false)]
    public void Only_loopback_needs_no_permission(string address, bool isFree)
    {
        var options = Good with { Http = IPEndPoint.Parse(address) };
        Assert.Equal(isFree, options.Validate().Count == 0);
        Assert.Empty((options with { AllowRemoteHttp = true }).Validate());
        if (!isFree) Assert.Equal($"Http is \"{address}\", which other machines may reach: listen on 127.0.0.1 or [::1], or set AllowRemoteHttp to true and guard the port.", options.Validate().Single());
    }

    [Theory]
    [InlineData("127.0.0.1:1", false, true)]
    [InlineData("0.0.0.0:1", false, false)]
    [InlineData("0.0.0.0:1", true, true)]
    public void HTTPS_for_other_machines_wants_certificates_or_a_permission(string address, bool isRequired, bool isFree)
    {
        using var side = new HttpsSide(isRequired: isRequired);
        var options = Good with { Https = side.Options("alice") with { EndPoint = IPEndPoint.Parse(address) } };
        Assert.Equal(isFree, options.Validate().Count == 0);
        Assert.Empty((options with { AllowRemoteHttp = true }).Validate());
    }

    [Theory]
    [InlineData(256, 256, true)]
    [InlineData(257, 256, false)]
    [InlineData(256, 257, false)]
    [InlineData(1, 0, false)]
    public void There_are_so_many_operators_with_names_so_long(int count, int letters, bool isTaken)
    {
        using var side = new HttpsSide();
        Assert.Equal(isTaken, (Good with { Https = side.Options([.. Enumerable.Repeat(new string('x', letters), count)]) }).Validate().Count == 0);
    }

    [Fact]
    public void A_missing_address_is_an_error() =>
        Assert.Equal("Http is unset: give the address to listen on, such as \"127.0.0.1:1180\".", (Good with { Http = null! }).Validate().Single());

    [Theory]
    [InlineData("")]
    [InlineData("..")]
    [InlineData("Node")]
    [InlineData("a/b")]
    [InlineData("a b")]
    [InlineData("{rest}")]
    [InlineData("node1\n")]
    [InlineData("a0123456789012345678901234567890123456789012345678901234567890123456789")]
    public void A_name_that_could_mean_something_else_in_a_path_or_a_line_is_an_error(string name)
    {
        var node = (Good with { Nodes = new Dictionary<string, Uri> { [name] = new("http://127.0.0.1:1") } }).Validate().Single();
        Assert.StartsWith("Nodes has the name \"", node, StringComparison.Ordinal);
        Assert.DoesNotContain(node, char.IsControl);
        Assert.StartsWith("Checks:0:Name is \"", (Good with { Checks = [RunningServer.Check(name, null)] }).Validate().Single(), StringComparison.Ordinal);
    }

    [Fact]
    public void Two_checks_of_one_name_are_an_error() =>
        Assert.Equal("Checks:1:Name is \"node1\", which another check has already: names must be unique.",
            (Good with { Checks = [RunningServer.Check("node1", null), RunningServer.Check("node1", null)] }).Validate().Single());

    [Theory]
    [InlineData("ftp://127.0.0.1/")]
    [InlineData("file:///etc/passwd")]
    [InlineData("/metrics")]
    [InlineData("http://127.0.0.1:1/metrics")]
    [InlineData("http://127.0.0.1:1/?a=b")]
    [InlineData("http://127.0.0.1:1/#a")]
    public void A_node_is_named_by_scheme_host_and_port_alone(string address)
    {
        var error = (Good with { Nodes = new Dictionary<string, Uri> { ["node1"] = new(address, UriKind.RelativeOrAbsolute) } }).Validate().Single();
        Assert.StartsWith($"Nodes:node1 is \"{address}\": ", error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_password_in_an_address_is_refused_and_not_shown()
    {
        var error = (Good with { Nodes = new Dictionary<string, Uri> { ["node1"] = new("http://me:hunter2@127.0.0.1:1/") } }).Validate().Single();
        Assert.StartsWith("Nodes:node1 ", error, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", error, StringComparison.Ordinal);
    }
}
