using Xunit;

namespace ImapDirector.Fuzz;

/// <summary>Checks beside which no other runs: they look at what the whole process allocates.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneDefinition
{
    public const string Name = "alone";
}
