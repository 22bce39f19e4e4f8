using System.Text.RegularExpressions;
using System.Xml.Linq;
using Xunit;

namespace ImapDirector.Tests.Architecture;

/// <summary>A build of a commit takes the same packages whenever and wherever it is made.</summary>
public sealed partial class PackagesTests
{
    private static readonly XDocument Central = XDocument.Parse(Repository.Read("Directory.Packages.props"));

    public static TheoryData<string> Projects => new(Repository.Projects);

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_has_a_lock_file(string project) =>
        Assert.True(File.Exists(Path.Combine(Repository.Root, Path.GetDirectoryName(project)!, "packages.lock.json")));

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_names_no_version_of_its_own(string project) =>
        Assert.All(XDocument.Parse(Repository.Read(project)).Descendants("PackageReference"),
            reference => Assert.DoesNotContain(reference.Attributes(), attribute => attribute.Name.LocalName is "Version" or "VersionOverride"));

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_is_part_of_the_solution(string project) =>
        Assert.Contains(project, Repository.Read("ImapDirector.sln").Replace('\\', '/'), StringComparison.Ordinal);

    [Fact]
    public void Versions_are_pinned_centrally_and_exactly()
    {
        Assert.Equal("true", Central.Descendants("ManagePackageVersionsCentrally").Single().Value);
        Assert.Equal("true", Central.Descendants("CentralPackageTransitivePinningEnabled").Single().Value);
        Assert.NotEmpty(Central.Descendants("PackageVersion"));
        Assert.All(Central.Descendants("PackageVersion"), package => Assert.Matches(ExactVersion(), package.Attribute("Version")?.Value ?? ""));
    }

    [GeneratedRegex(@"^\d+\.\d+\.\d+(\.\d+)?(-[a-z0-9.]+)?$")]
    private static partial Regex ExactVersion();
}
