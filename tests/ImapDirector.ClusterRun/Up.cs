using ImapDirector.ClusterRun.Servers;

namespace ImapDirector.ClusterRun;

/// <summary>A cluster to try things on.</summary>
internal static class Up
{
    private static readonly string[] Users = ["alice@example.com", "bob@example.com", "carol@example.com", "dave@example.com"];

    public static async Task<bool> RunAsync(TestCluster cluster, CancellationToken stop)
    {
        var directory = cluster.RunDirectory;
        await cluster.AddUsersAsync(Users);
        Console.WriteLine($"""
            users       {string.Join(", ", Users)}
            password    {TestCluster.Password}
            redis       {cluster.Redis.ConnectionString}
            files       {directory}
            """);
        foreach (var director in cluster.Directors)
            Console.WriteLine($"{director.Name,-11} {director.Host.Address}   IMAP {TestCluster.Imap}, IMAPS {TestCluster.Imaps}, LMTP {TestCluster.Lmtp}, HTTP {TestCluster.Http}; --config {directory}/{director.Name}.json");
        foreach (var node in cluster.Nodes)
            Console.WriteLine($"{node.Name,-11} {node.Host.Address}   HTTP {TestCluster.Http}; mail in {cluster.DataOf(node)}");
        foreach (var node in cluster.ForeignNodes) Console.WriteLine(node);
        Console.WriteLine("READY (Ctrl-C ends all of it)");
        try
        {
            await Task.Delay(Timeout.Infinite, stop);
        }
        catch (OperationCanceledException)
        {
            Console.WriteLine("Stopping.");
        }
        return true;
    }
}
