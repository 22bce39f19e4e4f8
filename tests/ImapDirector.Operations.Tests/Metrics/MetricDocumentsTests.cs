using System.Text.RegularExpressions;
using Prometheus;
using Xunit;

namespace ImapDirector.Operations.Tests.Metrics;

/// <summary>Metrics are an interface: the page about them and the alert rules name what is there, and nothing else.</summary>
public sealed partial class MetricDocumentsTests
{
    [Fact]
    public void The_operations_page_lists_every_metric_with_its_type_and_labels()
    {
        var documented = Row().Matches(Read("operations.md"))
            .Select(row => (Name: row.Groups["name"].Value, Type: row.Groups["type"].Value, Labels: string.Join(' ', Word().Matches(row.Groups["labels"].Value).Select(label => label.Value))));
        var declared = DeclaredMetrics.All.Select(metric => (metric.Name, Type: metric switch { Counter => "counter", Gauge => "gauge", Histogram => "histogram", _ => "?" },
            Labels: string.Join(' ', metric.LabelNames)));
        Assert.Equal(declared.Order(), documented.Order());
    }

    [Theory]
    [InlineData("operations.md")]
    [InlineData("alerts.yml")]
    public void No_document_names_a_metric_that_is_not_there(string document)
    {
        var named = MetricName().Matches(Read(document)).Select(name => Series().Replace(name.Value, "")).Distinct().ToArray();
        Assert.NotEmpty(named);
        Assert.Empty(named.Except(DeclaredMetrics.All.Select(metric => metric.Name)));
    }

    [Fact]
    public void Every_alert_is_explained() =>
        Assert.All(Alert().Matches(Read("alerts.yml")), alert => Assert.Contains($"| `{alert.Groups[1].Value}` |", Read("operations.md"), StringComparison.Ordinal));

    private static string Read(string document) => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, document));

    [GeneratedRegex(@"^\| `(?<name>imapdirector_\w+)` \| (?<type>\w+) \| (?<labels>[^|]*)\|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"\w+")]
    private static partial Regex Word();

    [GeneratedRegex(@"\bimapdirector_\w+")]
    private static partial Regex MetricName();

    [GeneratedRegex("_(bucket|sum|count)$")]
    private static partial Regex Series();

    [GeneratedRegex(@"alert: (\w+)")]
    private static partial Regex Alert();
}
