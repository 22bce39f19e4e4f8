using System.Text.RegularExpressions;
using Prometheus;
using Xunit;

namespace ImapDirector.Operations.Tests.Metrics;

/// <summary>Prometheus' own rules for names: https://prometheus.io/docs/practices/naming/.</summary>
public sealed partial class MetricNamesTests
{
    // Whatever has one value for each user, client or session makes a series for each, and tells of them.
    private static readonly string[] PersonalLabels = ["user", "username", "account", "address", "ip", "client", "peer", "port", "mailbox", "folder", "session", "connection", "message", "domain", "tag"];

    private static readonly string[] OtherUnits = ["ms", "us", "ns", "milliseconds", "microseconds", "minutes", "hours", "kb", "mb", "kib", "mib", "kilobytes", "megabytes", "percent"];

    public static TheoryData<string> Names => new(DeclaredMetrics.All.Select(metric => metric.Name));

    [Fact]
    public void Both_roles_have_metrics_and_no_two_share_a_name()
    {
        Assert.Contains(DeclaredMetrics.All, metric => metric.Name == "imapdirector_logins_total");
        Assert.Contains(DeclaredMetrics.All, metric => metric.Name == "imapdirector_node_commands_total");
        Assert.Equal(DeclaredMetrics.All.Count, DeclaredMetrics.All.DistinctBy(metric => metric.Name).Count());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_name_is_lower_snake_case_under_our_prefix_in_base_units(string name)
    {
        Assert.Matches(SnakeCase(), name);
        Assert.StartsWith("imapdirector_", name, StringComparison.Ordinal);
        Assert.Empty(name.Split('_').Intersect(OtherUnits));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_suffix_tells_the_type(string name)
    {
        var metric = DeclaredMetrics.All.Single(one => one.Name == name);
        Assert.Equal(metric is Counter, name.EndsWith("_total", StringComparison.Ordinal));
        if (metric is Histogram) Assert.Matches("_(seconds|bytes)$", name);
        if (name.Contains("duration", StringComparison.Ordinal)) Assert.Contains("_seconds", name, StringComparison.Ordinal);
        Assert.DoesNotMatch("_(count|sum|bucket)$", name);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Its_labels_are_few_and_tell_of_nobody(string name)
    {
        var metric = DeclaredMetrics.All.Single(one => one.Name == name);
        Assert.True(metric.LabelNames.Length <= 3);
        Assert.All(metric.LabelNames, label =>
        {
            Assert.Matches(SnakeCase(), label);
            Assert.Empty(label.Split('_').Intersect(PersonalLabels));
        });
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Its_help_is_a_sentence(string name) => Assert.Matches(@"^[A-Z][^\n]+\.$", DeclaredMetrics.All.Single(one => one.Name == name).Help);

    [GeneratedRegex("^[a-z][a-z0-9]*(_[a-z0-9]+)*$")]
    private static partial Regex SnakeCase();
}
