using System.Xml.Linq;
using ArchUnitNET.Fluent.Syntax.Elements.Types;
using ArchUnitNET.Loader;
using ArchUnitNET.xUnit;
using Xunit;
using static ArchUnitNET.Fluent.ArchRuleDefinition;

namespace ImapDirector.Tests.Architecture;

/// <summary><c>ImapDirector → Operations → {Director, Storage} → Network → Protocol</c>.</summary>
public sealed class ArrowsTests
{
    private static readonly Dictionary<string, string[]> Arrows = new()
    {
        ["ImapDirector.Protocol"] = [],
        ["ImapDirector.Network"] = ["ImapDirector.Protocol"],
        ["ImapDirector.Director"] = ["ImapDirector.Network"],
        ["ImapDirector.Storage"] = ["ImapDirector.Network"],
        ["ImapDirector.Operations"] = ["ImapDirector.Director", "ImapDirector.Storage"],
        ["ImapDirector"] = ["ImapDirector.Operations"],
    };

    private static readonly System.Reflection.Assembly DirectorAssembly = typeof(Director.DirectorServer).Assembly;
    private static readonly System.Reflection.Assembly StorageAssembly = typeof(Storage.StorageNode).Assembly;
    private static readonly System.Reflection.Assembly NetworkAssembly = typeof(Network.Connection).Assembly;
    private static readonly ArchUnitNET.Domain.Architecture Rooms = new ArchLoader().LoadAssemblies(DirectorAssembly, StorageAssembly, NetworkAssembly).Build();

    public static TheoryData<string> Rooms_of_the_house => new(Arrows.Keys);

    [Fact]
    public void Every_project_has_its_place() =>
        Assert.Equal(Arrows.Keys.Order(), Repository.Files("src", "*.csproj").Select(Path.GetFileNameWithoutExtension).Order());

    [Theory]
    [MemberData(nameof(Rooms_of_the_house))]
    public void A_project_refers_to_the_rooms_below_it(string project)
    {
        var references = Items(project, "ProjectReference").Select(path => Path.GetFileNameWithoutExtension(path.Replace('\\', '/')));
        Assert.Equal(Arrows[project].Order(), references.Order());
        // A file compiled into two rooms would be a way around the arrows.
        Assert.DoesNotContain(Items(project, "Compile"), path => path.Contains("..", StringComparison.Ordinal));
    }

    [Fact]
    public void What_was_compiled_keeps_to_the_arrows()
    {
        foreach (var assembly in Assemblies.All)
        {
            var name = assembly.Name.Name == "imapdirector" ? "ImapDirector" : assembly.Name.Name;
            var used = assembly.MainModule.AssemblyReferences.Select(reference => reference.Name).Where(reference => reference.StartsWith("ImapDirector", StringComparison.OrdinalIgnoreCase));
            Assert.Empty(used.Except(Below(name)));
        }
    }

    [Fact]
    public void Director_and_storage_do_not_see_each_other()
    {
        Keep(DirectorAssembly, StorageAssembly).And(Keep(StorageAssembly, DirectorAssembly)).Check(Rooms);
        // The rule sees what there is to see.
        Assert.False(Keep(DirectorAssembly, NetworkAssembly).HasNoViolations(Rooms));

        static TypesShouldConjunction Keep(System.Reflection.Assembly room, System.Reflection.Assembly from) =>
            Types().That().ResideInAssembly(room).Should().NotDependOnAny(Types().That().ResideInAssembly(from));
    }

    [Fact]
    public void Protocol_needs_no_package_but_pipelines()
    {
        Assert.Equal(["System.IO.Pipelines"], Items("ImapDirector.Protocol", "PackageReference"));
        var protocol = Assemblies.All.Single(assembly => assembly.Name.Name == "ImapDirector.Protocol");
        Assert.All(protocol.MainModule.AssemblyReferences, reference => Assert.StartsWith("System.", reference.Name, StringComparison.Ordinal));
    }

    [Fact]
    public void Only_tests_and_benchmarks_see_a_rooms_internals()
    {
        foreach (var project in Arrows.Keys)
            Assert.All(Items(project, "InternalsVisibleTo"), friend => Assert.True(Is("tests", friend) || Is("benchmarks", friend), $"{project} shows its internals to {friend}."));

        static bool Is(string folder, string friend) => File.Exists(Path.Combine(Repository.Root, folder, friend, friend + ".csproj"));
    }

    private static HashSet<string> Below(string project) => [.. Arrows[project].SelectMany(below => Below(below).Append(below))];

    private static string[] Items(string project, string kind) =>
        [.. XDocument.Parse(Repository.Read($"src/{project}/{project}.csproj")).Descendants(kind).Select(item => item.Attribute("Include")?.Value ?? "")];
}
